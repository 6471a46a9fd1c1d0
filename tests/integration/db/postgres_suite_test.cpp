// The conformance suite of room db on PostgreSQL.

#include "conformance/db_suite_fixture.hpp"
#include "support/postgres/server.hpp"

#include <atomic>

namespace {

support::postgres::server& server() {
  static support::postgres::server running;
  return running;
}

class postgres_database final : public db_suite::database {
 public:
  postgres_database() {
    static std::atomic<int> next{0};
    name_ = "suite_" + std::to_string(next++);
    server().create_database(name_);
  }

  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    return scalekit::db::client::open(server().socket_url(name_), std::move(params),
                                      std::move(exec));
  }

  std::string bytes_type() const override { return "bytea"; }
  std::string numbered_key() const override { return "bigint primary key"; }
  std::string endless_read() const override {
    return "select count(*) from generate_series(1, 1000000000) a";
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<db_suite::database> db_suite::make_database() {
  return std::make_unique<postgres_database>();
}
