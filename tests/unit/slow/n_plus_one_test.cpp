#include "tracker_fixture.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <source_location>
#include <string>

using namespace slow_test;

TEST_CASE("a loop over ids within a request is found once, and counted on") {
  tracker_fixture f({.n_plus_one_threshold = 3});
  const auto here = std::source_location::current();

  for (int request = 0; request < 2; ++request) {
    auto scope = request_scope::begin("GET /cart");
    for (std::uint64_t id = 1; id <= 5; ++id) {
      f.call("select a from t where id = ?1", {.execute = 1ms}, 1, outcome::ok, here, scope,
             id * 0x9e3779b97f4a7c15);
    }
  }

  auto found = f.tracker.n_plus_one_findings();
  REQUIRE(found.size() == 1);
  CHECK(found[0].text == "select a from t where id = ?");
  CHECK(found[0].where.line == here.line());
  CHECK(found[0].scope == "GET /cart");
  CHECK(found[0].pattern == n_plus_one_pattern::loop);
  CHECK(found[0].requests == 2);
  CHECK(found[0].most_calls == 5);
  auto log = f.log.all();
  REQUIRE(log.size() == 1);
  CHECK(log[0].event == "slow.n_plus_one");
  CHECK(log[0].fields["calls"] == "3");
  CHECK(log[0].fields["call_site"] == "n_plus_one_test.cpp:" + std::to_string(here.line()));
}

TEST_CASE("the same binds again and again are a repeat, and unknown ones neither") {
  const auto here = std::source_location::current();
  auto pattern_with = [&](std::uint64_t bind_hash) {
    tracker_fixture f;
    auto scope = request_scope::begin("GET /");
    for (int i = 0; i < 10; ++i) {
      f.call("select 1", {.execute = 1ms}, 1, outcome::ok, here, scope, bind_hash);
    }
    return f.tracker.n_plus_one_findings().at(0).pattern;
  };

  CHECK(pattern_with(77) == n_plus_one_pattern::repeat);
  CHECK(pattern_with(0) == n_plus_one_pattern::unknown);
}

TEST_CASE("calls that do not belong together are no finding") {
  tracker_fixture f({.n_plus_one_threshold = 3, .n_plus_one_window = 10s});
  const auto here = std::source_location::current();
  auto one = request_scope::begin("GET /");
  auto other = request_scope::begin("GET /");

  // Two each of: another scope, another place, another statement.
  for (int i = 0; i < 2; ++i) {
    f.call("select 1", {.execute = 1ms}, 1, outcome::ok, here, one);
    f.call("select 1", {.execute = 1ms}, 1, outcome::ok, here, other);
    f.call("select 1", {.execute = 1ms}, 1, outcome::ok, std::source_location::current(), one);
    f.call("select a", {.execute = 1ms}, 1, outcome::ok, here, one);
    f.call("select 1");
  }
  f.time.advance(11s);
  f.call("select 1", {.execute = 1ms}, 1, outcome::ok, here, one);

  CHECK(f.tracker.n_plus_one_findings().empty());
}

TEST_CASE("a threshold of 0 turns the detection off") {
  tracker_fixture f({.n_plus_one_threshold = 0});
  auto scope = request_scope::begin("GET /");

  for (int i = 0; i < 100; ++i) {
    f.call("select 1", {.execute = 1ms}, 1, outcome::ok, std::source_location::current(), scope);
  }

  CHECK(f.tracker.n_plus_one_findings().empty());
}

TEST_CASE("findings are bounded, and those dropped are counted") {
  tracker_fixture f({.n_plus_one_threshold = 2});
  auto scope = request_scope::begin("GET /");

  for (int i = 0; i < 103; ++i) {
    for (int call = 0; call < 2; ++call) {
      f.call("select a from t" + std::to_string(i), {.execute = 1ms}, 1, outcome::ok,
             std::source_location::current(), scope);
    }
  }

  CHECK(f.tracker.n_plus_one_findings().size() == 100);
  CHECK(f.tracker.totals().n_plus_one_dropped == 3);
}
