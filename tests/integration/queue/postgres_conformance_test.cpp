#include "integration/queue/test_database.hpp"
#include "queue/engine.hpp"
#include "scalekit/db/client.hpp"

#include <memory>

namespace {

/// Two clients of one database are what two processes are to each other.
class postgres_backend {
 public:
  postgres_backend() { engine_->migrate(); }

  scalekit::queue::detail::engine& engine() { return *engine_; }
  scalekit::queue::detail::engine& other() { return *other_; }
  scalekit::db::client& db() { return client_; }

 private:
  test_database database_;
  scalekit::db::client client_ = scalekit::db::client::open(database_.url());
  scalekit::db::client other_client_ = scalekit::db::client::open(database_.url());
  std::unique_ptr<scalekit::queue::detail::engine> engine_ =
      scalekit::queue::detail::make_postgres_engine(client_, "sk_", std::chrono::seconds{5});
  std::unique_ptr<scalekit::queue::detail::engine> other_ =
      scalekit::queue::detail::make_postgres_engine(other_client_, "sk_", std::chrono::seconds{5});
};

}  // namespace

#define SCALEKIT_QUEUE_BACKENDS postgres_backend
#include "conformance/queue_suite.hpp"
