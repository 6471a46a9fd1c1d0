#include "cache/load_costs.hpp"

#include "scalekit/cache.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using scalekit::cache::detail::load_costs;

TEST_CASE("the keys that cost the most come first, with what was spent on them") {
  load_costs costs;
  costs.add("cheap", 1ms);
  for (int i = 0; i < 3; ++i) costs.add("dear", 100ms);
  costs.add("middle", 50ms);

  const auto top = costs.top(2);
  REQUIRE(top.size() == 2);
  CHECK(top[0].key == "dear");
  CHECK(top[0].loads == 3);
  CHECK(top[0].spent == 300ms);
  CHECK(top[0].error == 0ms);
  CHECK(top[1].key == "middle");
}

TEST_CASE("what costs much is found among any number of keys, and the error is told") {
  load_costs costs;
  for (int i = 0; i < 10'000; ++i) {
    costs.add("key " + std::to_string(i), 1ms);
    if (i % 20 == 0) costs.add("dear", 2ms);
  }
  const auto top = costs.top(10);
  REQUIRE(top.size() == 10);
  CHECK(top[0].key == "dear");
  // 500 loads, 1000 ms of all 11'000: not less, and not more than the error.
  CHECK(top[0].spent >= 1000ms);
  CHECK(top[0].spent - top[0].error <= 1000ms);
  CHECK(top[0].error <= 11'000ms / 64);
}

TEST_CASE("keys are kept up to their first 256 bytes") {
  load_costs costs;
  costs.add(std::string(1000, 'a'), 1ms);
  CHECK(costs.top(1).at(0).key == std::string(256, 'a'));
}

TEST_CASE("a store tells which keys its loaders spent their time on") {
  auto store = scalekit::cache::store::open();
  const scalekit::cache::policy how{.type = "t"};
  CHECK(store.stats().costly_keys.empty());
  store.get_or_load<int>("a", how, [] { return 1; });
  CHECK_THROWS(store.get_or_load<int>("b", how, []() -> int { throw std::runtime_error("no"); }));
  store.get_or_load_many<int>({"c", "d"}, how, [](std::span<const std::string> keys) {
    return std::vector<std::optional<int>>(keys.size(), 1);
  });

  const auto costly = store.stats().costly_keys;
  REQUIRE(costly.size() == 4);
  for (const auto& each : costly) {
    CHECK(each.loads == 1);
    CHECK(each.spent > 0ns);
  }
}
