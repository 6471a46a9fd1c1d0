#include "conformance/db_suite_fixture.hpp"
#include "support/temp_directory.hpp"

// The conformance suite on a SQLite file.

namespace {

struct sqlite_file final : db_suite::database {
  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    return scalekit::db::client::open("sqlite://" + directory.file("shop.db"), std::move(params),
                                      std::move(exec));
  }
  std::string bytes_type() const override { return "blob"; }
  std::string numbered_key() const override { return "integer primary key"; }
  std::string endless_read() const override {
    return "with recursive n(i) as (select 1 union all select i + 1 from n)"
           " select count(*) from n";
  }

  support::temp_directory directory;
};

}  // namespace

std::unique_ptr<db_suite::database> db_suite::make_database() {
  return std::make_unique<sqlite_file>();
}
