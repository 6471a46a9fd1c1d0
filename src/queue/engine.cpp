#include "queue/engine.hpp"

#include "scalekit/db/client.hpp"

#include <utility>

namespace scalekit::queue::detail {

std::unique_ptr<engine> make_engine(db::client client, std::string prefix,
                                    std::chrono::nanoseconds call_timeout) {
  const auto make =
      client.dialect() == db::dialect::postgres ? make_postgres_engine : make_sqlite_engine;
  return make(std::move(client), std::move(prefix), call_timeout);
}

}  // namespace scalekit::queue::detail
