#include "simulated_shops.hpp"
#include "support/sanitizer.hpp"

#include <doctest/doctest.h>

#include <cstdint>

// Processes that share a server look up, load and change the same keys while requests are lost,
// done late or done without an answer, and the server evicts, restarts empty and is cleared. What
// was changed is seen by nobody for longer than the bounds of docs/cache.md say.

using namespace cache_test;

TEST_CASE("whatever happens on the way, nobody sees for too long what was changed") {
  std::uint64_t lookups = 0, hits = 0, loads = 0, failed = 0;
  const auto seeds = support::fewer_under_sanitizer(std::uint64_t{1000});
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    INFO("seed " << seed);
    simulated_shops shops(seed, 1 + seed % 3);
    shops.run(1500);
    lookups += shops.lookups;
    hits += shops.hits;
    loads += shops.loads;
    failed += shops.failed_changes;
  }
  // It was about something.
  CHECK(hits > lookups / 4);
  CHECK(loads > lookups / 20);
  CHECK(failed > seeds);
}

TEST_CASE(
    "whatever happens on the way to a fallback and back, nobody sees for too long what was "
    "changed") {
  std::uint64_t lookups = 0, hits = 0, loads = 0, aside = 0;
  const auto seeds = support::fewer_under_sanitizer(std::uint64_t{200});
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    INFO("seed " << seed);
    simulated_shops shops(seed, 1 + seed % 3, {.has_fallbacks = true});
    shops.run(1500);
    lookups += shops.lookups;
    hits += shops.hits;
    loads += shops.loads;
    aside += shops.found_in_fallbacks();
  }
  CHECK(hits > lookups / 4);
  CHECK(loads > lookups / 20);
  CHECK(aside > lookups / 50);
}

TEST_CASE("memory of who hears of changes is never older than the last message") {
  std::uint64_t lookups = 0, informed_hits = 0, changes = 0;
  const auto seeds = support::fewer_under_sanitizer(std::uint64_t{1000});
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    INFO("seed " << seed);
    simulated_shops shops(seed, 2 + seed % 2, {.hears_changes = true, .loses_requests = false});
    shops.run(1500);
    lookups += shops.lookups;
    informed_hits += shops.informed_hits;
    changes += shops.changes;
  }
  CHECK(informed_hits > lookups / 50);
  CHECK(changes > lookups / 50);
}

TEST_CASE("where requests are lost memory that hears of changes is no older than it may be") {
  std::uint64_t hits = 0;
  const auto seeds = support::fewer_under_sanitizer(std::uint64_t{200});
  for (std::uint64_t seed = 0; seed < seeds; ++seed) {
    INFO("seed " << seed);
    simulated_shops shops(seed, 2 + seed % 2,
                          {.has_fallbacks = seed % 10 == 0, .hears_changes = true});
    shops.run(1500);
    hits += shops.hits;
  }
  CHECK(hits > 10 * seeds);
}

TEST_CASE("a set is the newest in its own process, whatever came from the server meanwhile") {
  scalekit::testing::manual_clock clock;
  fake_server server;
  scalekit::cache::store_params params;
  params.clock = &clock;
  detail::tiers cache(
      params, std::make_unique<detail::shared_tier>(std::make_unique<fake_driver>(server), params));
  const auto how = simulated_shops::how;
  const auto until = scalekit::deadline::after(30s);
  const auto answer = [&] { std::exchange(server.held, {}).at(0)(); };
  bool is_set = false;
  cache.start_put_many({{"a", "new"}}, how, until, {}, [&](auto) { is_set = true; });
  const auto put = std::exchange(server.held, {});

  // Stored later than the set began, and there before it comes to the server.
  clock.advance(1s);
  detail::tiers other(
      params, std::make_unique<detail::shared_tier>(std::make_unique<fake_driver>(server), params));
  other.start_put_many({{"a", "old"}}, how, until, {}, [](auto) {});
  answer();
  auto port = std::make_shared<detail::copying_port>();
  detail::shared_claim claim;
  cache.start_find_or_claim("a", port, claim, until, [](auto) {});
  answer();
  CHECK(port->bytes == "old");

  put.at(0)();
  REQUIRE(is_set);
  CHECK(cache.find_in_memory(cache.hashed("a"), *port));
  CHECK(port->bytes == "new");
}
