#include "scalekit/db/consistency.hpp"

#include "scalekit/core/error.hpp"

#include <string>

namespace scalekit::db {

consistency consistency::bounded(std::chrono::nanoseconds lag) {
  if (lag < lag.zero()) {
    throw error(errc::invalid_argument, "consistency::bounded: lag is " +
                                            std::to_string(lag.count()) + " ns; legal: 0 and more");
  }
  consistency c(kind::bounded);
  c.lag_ = lag;
  return c;
}

consistency consistency::own_writes_and(const causal_token& token) noexcept {
  consistency c;
  c.token_ = token;
  return c;
}

consistency consistency::after(const causal_token& token) noexcept {
  consistency c(kind::after);
  c.token_ = token;
  return c;
}

}  // namespace scalekit::db
