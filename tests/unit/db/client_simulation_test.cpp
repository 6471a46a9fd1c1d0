// Many lives of a client with several hosts, each by its seed: hosts die, freeze, return, are cut
// off, promoted, and answer late, while calls wait in pools, give up and are tried again. The truth
// is held against every one of them.

#include "simulated_client.hpp"
#include "support/sanitizer.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace test;

namespace {

/// Of lives, and of what has to happen in them. Under a sanitizer one takes a third of a second.
template <class Integer>
constexpr Integer fewer_under_sanitizer(Integer n) {
  return support::under_sanitizer ? n / 40 : n;
}

counts live(std::uint64_t seeds, int steps, life how) {
  counts total;
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    simulated_client client(seed, how, total);
    client.run(steps);
    INFO("seed ", seed);
    REQUIRE(client.failure == "");
  }
  return total;
}

}  // namespace

TEST_CASE("through all faults no write goes astray and no read misses the write it must see") {
  const auto total = live(fewer_under_sanitizer(800U), 400, {});

  // It was not for want of trying.
  CHECK(total.writes > fewer_under_sanitizer(100'000U));
  CHECK(total.refused_writes > fewer_under_sanitizer(20'000U));
  CHECK(total.writes_in_doubt > fewer_under_sanitizer(2000U));
  CHECK(total.split_brains > fewer_under_sanitizer(10'000U));
  CHECK(total.reads_on_replicas > fewer_under_sanitizer(100'000U));
  CHECK(total.reads_on_primary > fewer_under_sanitizer(50'000U));
  CHECK(total.asks > fewer_under_sanitizer(100'000U));
  CHECK(total.lost_tokens > fewer_under_sanitizer(2000U));
  CHECK(total.waits > fewer_under_sanitizer(20'000U));
  CHECK(total.turned_away > fewer_under_sanitizer(20'000U));
  CHECK(total.retries > fewer_under_sanitizer(1000U));
  CHECK(total.evictions > fewer_under_sanitizer(500U));
  CHECK(total.stopped > fewer_under_sanitizer(20'000U));
  CHECK(total.resets > fewer_under_sanitizer(2000U));
  CHECK(total.new_connections > fewer_under_sanitizer(1000U));
  CHECK(total.dial_failures > fewer_under_sanitizer(5000U));
  // So few lives may not meet what is rare.
  if (support::under_sanitizer) return;
  CHECK(total.too_late_to_write > 100);
  CHECK(total.new_standbys > 100);
}

TEST_CASE("where standbys confirm writes, what was acknowledged is on the timeline that wins") {
  const auto total = live(fewer_under_sanitizer(800U), 400, {.cluster = {.is_synchronous = true}});

  CHECK(total.writes > fewer_under_sanitizer(50'000U));
  CHECK(total.writes_in_doubt > fewer_under_sanitizer(5000U));
  CHECK(total.evictions > fewer_under_sanitizer(500U));
}

TEST_CASE("the same without the right to see timelines and histories, with more on the primary") {
  const auto blind =
      live(fewer_under_sanitizer(200U), 400, {.is_monitor = false, .reads_history = false});
  const auto half_blind = live(fewer_under_sanitizer(200U), 400, {.reads_history = false});

  CHECK(blind.writes > fewer_under_sanitizer(10'000U));
  CHECK(blind.asks == 0);
  CHECK(half_blind.reads_on_replicas > fewer_under_sanitizer(10'000U));
}

TEST_CASE("without faults everybody is served, and bounded reads see what is old enough") {
  const auto total = live(fewer_under_sanitizer(300U), 200, {.cluster = {.has_faults = false}});

  CHECK(total.split_brains == 0);
  CHECK(total.writes > fewer_under_sanitizer(50'000U));
  CHECK(total.bounded_on_replicas > fewer_under_sanitizer(5000U));
  CHECK(total.reads_on_replicas > fewer_under_sanitizer(50'000U));
}
