#include "conformance/db_suite_engines.hpp"
#include "support/temp_directory.hpp"

// The conformance suite on a SQLite file.

namespace {

struct sqlite_file final : db_suite::sqlite_database {
  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    return scalekit::db::client::open("sqlite://" + directory.file("shop.db"), std::move(params),
                                      std::move(exec));
  }

  support::temp_directory directory;
};

}  // namespace

std::unique_ptr<db_suite::database> db_suite::make_database() {
  return std::make_unique<sqlite_file>();
}
