#include "conformance/db_suite_fixture.hpp"

// The conformance suite on a SQLite database in memory.

namespace {

struct sqlite_memory final : db_suite::database {
  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    return scalekit::db::client::open("sqlite::memory:", std::move(params), std::move(exec));
  }
  bool is_shared() const override { return false; }
  std::string bytes_type() const override { return "blob"; }
  std::string numbered_key() const override { return "integer primary key"; }
  std::string endless_read() const override {
    return "with recursive n(i) as (select 1 union all select i + 1 from n)"
           " select count(*) from n";
  }
};

}  // namespace

std::unique_ptr<db_suite::database> db_suite::make_database() {
  return std::make_unique<sqlite_memory>();
}
