#include "tracker_fixture.hpp"

#include <doctest/doctest.h>

#include <source_location>
#include <string>

using namespace slow_test;

TEST_CASE("a slow call is logged with its times and place, and without its values") {
  tracker_fixture f({.slow_threshold = 50ms});
  auto scope = request_scope::begin("GET /orders");
  const auto here = std::source_location::current();

  f.call("select a from t where secret = 'hunter2'", {.wait = 1ms, .execute = 48ms, .fetch = 1ms},
         12, outcome::ok, here, scope);
  f.call("select 1", {.execute = 49ms});

  auto log = f.log.all();
  REQUIRE(log.size() == 1);
  auto& fields = log[0].fields;
  CHECK(log[0].level == log_level::warning);
  CHECK(log[0].event == "slow.statement");
  CHECK(log[0].message == "50.000 ms (slow from 50.000 ms) at slow_log_test.cpp:" +
                              std::to_string(here.line()) + ": select a from t where secret = ?");
  CHECK(fields["statement"] == "select a from t where secret = ?");
  CHECK(fields["call_site"] == "slow_log_test.cpp:" + std::to_string(here.line()));
  CHECK(fields["scope"] == "GET /orders");
  CHECK(fields["outcome"] == "ok");
  CHECK(fields["total_ms"] == "50.000");
  CHECK(fields["wait_ms"] == "1.000");
  CHECK(fields["execute_ms"] == "48.000");
  CHECK(fields["fetch_ms"] == "1.000");
  CHECK(fields["rows"] == "12");
  CHECK(fields["fingerprint"].size() == 16);
  CHECK(f.tracker.totals().slow == 1);
}

TEST_CASE("a flood of slow calls is cut, and the next record says by how many") {
  tracker_fixture f({.slow_log_per_second = 2});

  for (int i = 0; i < 10; ++i) f.call("select 1", {.execute = 1s});
  f.time.advance(1s);
  f.call("select 1", {.execute = 1s});

  auto log = f.log.all();
  REQUIRE(log.size() == 3);
  CHECK(log[0].fields["suppressed"] == "0");
  CHECK(log[2].fields["suppressed"] == "8");
  CHECK(log[2].message.ends_with("(8 others not logged)"));
  CHECK(f.tracker.totals().slow == 11);
  CHECK(f.tracker.totals().slow_suppressed == 8);
}
