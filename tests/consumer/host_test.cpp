// What a host's own tests link, and its production code does not.
#include <scalekit/db.hpp>
#include <scalekit/testing.hpp>

#include <cstdint>

int main() {
  scalekit::testing::database database;
  auto db = database.client();
  database.inject({.on = scalekit::testing::call_kind::read, .error = scalekit::errc::unavailable});
  const auto query = scalekit::db::sql("select 40 + $1", 2);
  bool has_failed = false;
  try {
    db.read<std::int64_t>(query);
  } catch (const scalekit::error& e) {
    has_failed = e.code() == scalekit::errc::unavailable;
  }
  const bool holds = has_failed && db.read<std::int64_t>(query).at(0) == 42 &&
                     database.faults_left().empty() && database.log().size() == 2;
  return holds ? 0 : 1;
}
