#include "cache/lookup_history.hpp"

#include "scalekit/cache.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace cache = scalekit::cache;
using namespace std::chrono_literals;
using scalekit::cache::detail::lookup_history;

namespace {

std::int64_t at(std::chrono::nanoseconds t) {
  return t.count();
}

}  // namespace

TEST_CASE("a window begins at the newest note that is old enough") {
  lookup_history history(0);
  for (auto t = 10s; t <= 100s; t += 10s) {
    CHECK(history.is_due(at(t)));
    const auto n = static_cast<std::uint64_t>(t / 1s);
    history.take({at(t), n * 10, n});
    CHECK_FALSE(history.is_due(at(t + 9s)));
    // Out of turn: left out.
    history.take({at(t + 5s), 9999, 9999});
  }
  const auto last = history.since({at(105s), 1050, 105}, 60s);
  CHECK(last.at_ns == at(65s));
  CHECK(last.lookups == 650);
  CHECK(last.hits == 65);
  CHECK(history.since({at(105s), 1050, 105}, 1h).at_ns == at(105s));
}

TEST_CASE("an hour is remembered, however long it has been") {
  lookup_history history(0);
  for (auto t = 10s; t <= 36'000s; t += 10s) {
    history.take({at(t), static_cast<std::uint64_t>(t / 1s), 0});
  }
  const auto last = history.since({at(36'000s), 36'000, 0}, 1h);
  CHECK(last.at_ns == at(3600s));
  CHECK(last.lookups == 3600);
}

TEST_CASE("a store tells its hit ratio over the last minute, ten minutes and hour") {
  scalekit::testing::manual_clock clock;
  auto store = cache::store::open({.clock = &clock});
  const cache::policy how{.type = "t", .ttl = 24h};
  store.set("there", 1, how);
  // A minute of misses, then ten of hits, of which only misses and stats() take note.
  for (int i = 0; i < 60; ++i, clock.advance(1s)) store.get<int>("missing");
  for (int i = 0; i < 10; ++i, clock.advance(1min)) {
    for (int j = 0; j < 6; ++j) store.get<int>("there");
    store.stats();
  }

  const auto stats = store.stats();
  CHECK(stats.last_minute.span == 60s);
  CHECK(stats.last_minute.lookups == 0);
  CHECK(stats.last_minute.hit_ratio() == 0);
  CHECK(stats.last_10_minutes.hit_ratio() == 1);
  CHECK(stats.last_10_minutes.lookups == 54);
  CHECK(stats.last_hour.lookups == 120);
  CHECK(stats.last_hour.hit_ratio() == doctest::Approx(0.5));
}
