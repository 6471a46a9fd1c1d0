#include "integration/queue/postgres_test_database.hpp"
#include "integration/queue/test_database.hpp"

struct test_database::state {
  postgres_test_database database;
};

test_database::test_database() : state_(std::make_unique<state>()) {}
test_database::~test_database() = default;

std::string test_database::url() const {
  return state_->database.url();
}

std::string test_database::quick_url() const {
  return url();  // the server does not wait for its disk anyway
}
