// The conformance suite of room db on PostgreSQL.

#include "conformance/db_suite_engines.hpp"
#include "support/postgres/server.hpp"

#include <atomic>

namespace {

support::postgres::server& server() {
  static support::postgres::server running;
  return running;
}

class direct_database final : public db_suite::postgres_database {
 public:
  direct_database() {
    static std::atomic<int> next{0};
    name_ = "suite_" + std::to_string(next++);
    server().create_database(name_);
  }

  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    return scalekit::db::client::open(server().socket_url(name_), std::move(params),
                                      std::move(exec));
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<db_suite::database> db_suite::make_database() {
  return std::make_unique<direct_database>();
}
