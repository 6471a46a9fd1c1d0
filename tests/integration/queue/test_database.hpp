#pragma once

#include <memory>
#include <string>

/// A new database of a test's own. Of what kind is up to the program: it links one of
/// test_database_*.cpp.
class test_database {
 public:
  test_database();
  ~test_database();
  test_database(const test_database&) = delete;
  test_database& operator=(const test_database&) = delete;

  std::string url() const;
  /// The same database for those who need nothing to survive a power failure.
  std::string quick_url() const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};
