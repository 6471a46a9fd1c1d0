#include "integration/queue/test_database.hpp"
#include "queue/engine.hpp"
#include "scalekit/db/client.hpp"

#include <memory>

namespace {

/// Two clients of one file are what two processes are to each other.
class sqlite_backend {
 public:
  sqlite_backend() { engine_->migrate(); }

  scalekit::queue::detail::engine& engine() { return *engine_; }
  scalekit::queue::detail::engine& other() { return *other_; }
  scalekit::db::client& db() { return client_; }

 private:
  test_database file_;
  scalekit::db::client client_ = scalekit::db::client::open(file_.quick_url());
  scalekit::db::client other_client_ = scalekit::db::client::open(file_.quick_url());
  std::unique_ptr<scalekit::queue::detail::engine> engine_ =
      scalekit::queue::detail::make_sqlite_engine(client_, "sk_", std::chrono::seconds{5});
  std::unique_ptr<scalekit::queue::detail::engine> other_ =
      scalekit::queue::detail::make_sqlite_engine(other_client_, "sk_", std::chrono::seconds{5});
};

}  // namespace

#define SCALEKIT_QUEUE_BACKENDS sqlite_backend
#include "conformance/queue_suite.hpp"
