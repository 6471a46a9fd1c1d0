#include "scalekit/limit.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>

namespace limit = scalekit::limit;
using namespace std::chrono_literals;

namespace {

limit::rule good() {
  return {.name = "ok", .by = {"ip"}, .limit = 10, .per = 1s};
}

std::string refusal(std::vector<limit::rule> rules) {
  try {
    limit::limiter made({.rules = std::move(rules)});
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a rule that can never work is refused at construction, field and range named") {
  struct row {
    std::function<void(limit::rule&)> spoil;
    const char* says;
  };
  const row rows[] = {
      {[](auto& r) { r.name = ""; }, "limit::rule::name is \"\"; legal: 1 to 64"},
      {[](auto& r) { r.name = "a b"; }, "legal: 1 to 64 characters of [A-Za-z0-9._-]"},
      {[](auto& r) { r.name = std::string(65, 'x'); }, "limit::rule::name"},
      {[](auto& r) {
         r.by = {"ip", "ip"};
       },
       "limit::rule \"ok\"::by is 2 kinds"},
      {[](auto& r) {
         r.by = {"a", "b", "c", "d", "e"};
       },
       "::by is 5 kinds; legal: 0 to 4"},
      {[](auto& r) { r.limit = 0; }, "::limit is 0; legal: 1 to 1000000000"},
      {[](auto& r) { r.limit = 1'000'000'001; }, "::limit is 1000000001"},
      {[](auto& r) { r.per = 0s; }, "::per is 0 ns; legal: 1 microsecond to 366 days"},
      {[](auto& r) { r.per = -1s; }, "::per is -1000000000 ns"},
      {[](auto& r) { r.per = 24h * 367; }, "::per is"},
      {[](auto& r) { r.limit = 1001, r.per = 1us; }, "at most one call per nanosecond"},
      {[](auto& r) { r.burst = 1'000'000'001; }, "::burst is 1000000001"},
      {[](auto& r) { r.limit = 1, r.per = 24h, r.burst = 4000; }, "in at most 10 years"},
      {[](auto& r) { r.cost = 0; }, "::cost is 0; legal: 1 to the burst, 10"},
      {[](auto& r) { r.cost = 11; }, "::cost is 11; legal: 1 to the burst, 10"},
      {[](auto& r) { r.max_keys = 63; }, "::max_keys is 63; legal: 64 to 67108864"},
  };

  CHECK(refusal({good()}) == "accepted");
  for (const auto& r : rows) {
    auto spoilt = good();
    r.spoil(spoilt);
    CAPTURE(r.says);
    CHECK(refusal({spoilt}).find(r.says) != std::string::npos);
  }
}

TEST_CASE("a limiter has 1 to 64 rules of different names") {
  CHECK(refusal({}) == "limiter_params::rules.size() is 0; legal: 1 to 64");
  CHECK(refusal(std::vector<limit::rule>(65, good())).find("is 65") != std::string::npos);
  CHECK(refusal({good(), good()}) == "limit::rule::name is \"ok\"; legal: unique in its limiter");
}

TEST_CASE("the rules are shown as they are applied") {
  limit::limiter limiter({.rules = {good()}});

  REQUIRE(limiter.rules().size() == 1);
  CHECK(limiter.rules()[0].burst == 10);
}
