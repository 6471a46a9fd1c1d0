#include "integration/queue/test_database.hpp"
#include "support/temp_directory.hpp"

struct test_database::state {
  support::temp_directory directory;
};

test_database::test_database() : state_(std::make_unique<state>()) {}
test_database::~test_database() = default;

std::string test_database::url() const {
  return "sqlite://" + state_->directory.file("jobs.db");
}

std::string test_database::quick_url() const {
  return url() + "?synchronous=off";
}
