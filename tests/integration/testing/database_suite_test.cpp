#include "conformance/db_suite_engines.hpp"
#include "scalekit/testing/database.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

// The conformance suite on a database for tests, with a fault that nothing meets.

namespace {

struct faultless final : db_suite::sqlite_database {
  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    testing_.emplace_back(std::make_unique<scalekit::testing::database>(
        scalekit::db::client::open("sqlite::memory:", std::move(params), std::move(exec))));
    testing_.back()->inject({.text = "no such text", .error = scalekit::errc::unavailable});
    return testing_.back()->client();
  }
  bool is_shared() const override { return false; }

 private:
  std::vector<std::unique_ptr<scalekit::testing::database>> testing_;
};

}  // namespace

std::unique_ptr<db_suite::database> db_suite::make_database() {
  return std::make_unique<faultless>();
}
