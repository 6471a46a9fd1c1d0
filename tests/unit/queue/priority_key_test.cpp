#include "queue/priority_key.hpp"

#include <doctest/doctest.h>

using namespace scalekit;
using namespace scalekit::queue;
using namespace std::chrono_literals;
using scalekit::queue::detail::priority_key;

namespace {

const wall_time noon = from_micros(1'750'000'000'000'000);
constexpr queue::detail::priority_rules aged{.high_lead = 5min, .low_lag = 15min};
constexpr queue::detail::priority_rules strict{.high_lead = 5min, .low_lag = 15min, .strict = true};

}  // namespace

TEST_CASE("of jobs enqueued together, high comes before normal before low") {
  for (const auto& rules : {aged, strict}) {
    CHECK(priority_key(noon, high, rules) < priority_key(noon, normal, rules));
    CHECK(priority_key(noon, normal, rules) < priority_key(noon, low, rules));
  }
}

TEST_CASE("of one priority, the older comes first") {
  for (const auto p : {high, normal, low}) {
    CHECK(priority_key(noon, p, aged) < priority_key(noon + 1us, p, aged));
    CHECK(priority_key(noon, p, strict) < priority_key(noon + 1us, p, strict));
  }
}

TEST_CASE("a normal job that is older than the lead goes before new high ones: nothing starves") {
  const auto old = priority_key(noon, normal, aged);

  CHECK(old > priority_key(noon + 5min - 1us, high, aged));
  CHECK(old < priority_key(noon + 5min + 1us, high, aged));
}

TEST_CASE("a low job that is older than lag and lead together goes before new high ones") {
  const auto old = priority_key(noon, low, aged);

  CHECK(old > priority_key(noon + 20min - 1us, high, aged));
  CHECK(old < priority_key(noon + 20min + 1us, high, aged));
}

TEST_CASE("strict: years of age make up for no priority") {
  CHECK(priority_key(noon, low, strict) > priority_key(noon + 24h * 3650, normal, strict));
  CHECK(priority_key(noon, normal, strict) > priority_key(noon + 24h * 3650, high, strict));
}
