#include "conformance/db_suite_engines.hpp"

// The conformance suite on a SQLite database in memory.

namespace {

struct sqlite_memory final : db_suite::sqlite_database {
  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    return scalekit::db::client::open("sqlite::memory:", std::move(params), std::move(exec));
  }
  bool is_shared() const override { return false; }
};

}  // namespace

std::unique_ptr<db_suite::database> db_suite::make_database() {
  return std::make_unique<sqlite_memory>();
}
