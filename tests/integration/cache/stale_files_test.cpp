// Values past their time where several stores share a directory, as processes do.

#include "scalekit/cache.hpp"
#include "support.hpp"
#include "support/lasting_clock.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

namespace cache = scalekit::cache;
using namespace cache_test;
using namespace std::chrono_literals;

namespace {

constexpr cache::policy swift{.type = "swift",
                              .ttl = 60s,
                              .memory_ttl = 10min,
                              .jitter = 0,
                              .stale_for = 1h,
                              .stale_while_refreshing = 1h};

struct fixture {
  cache::store open() {
    return cache::store::open({.memory = {.max_bytes = 1 << 20},
                               .file = {.directory = directory.path()},
                               .clock = &clock});
  }

  temporary_directory directory;
  scalekit::testing::manual_clock& clock = support::lasting_clock();
};

int fail() {
  throw std::runtime_error("no database");
}

}  // namespace

TEST_CASE("a refresh takes what another process has loaded, and loads nothing") {
  fixture f;
  auto first = f.open(), second = f.open();
  first.set("a", 1, swift);
  CHECK(second.get<int>("a").value == 1);
  f.clock.advance(61s);
  CHECK(first.get_or_load<int>("a", swift, [] { return 2; }).value == 2);

  auto stale = second.get_or_load<int>("a", swift, cache::owned([] { return 3; }));

  CHECK(stale.value == 1);
  CHECK(stale.tier == cache::tier::memory);
  CHECK(support::wait_until([&] { return second.get<int>("a").value == 2; }));
  CHECK(second.stats().loads == 0);
  CHECK(second.stats().refreshes == 1);
}

TEST_CASE("what another process has erased is served for memory_ttl at most, fresh or stale") {
  fixture f;
  auto how = swift;
  how.memory_ttl = 10s;
  how.stale_while_refreshing = 0s;
  how.retry_after = 1ms;
  auto first = f.open(), second = f.open();
  first.set("a", 1, how);
  f.clock.advance(55s);
  CHECK(second.get<int>("a").value == 1);
  first.erase("a");

  f.clock.advance(9s);
  CHECK(second.get_or_load<int>("a", how, fail).freshness == cache::freshness::stale);
  f.clock.advance(1s);
  CHECK_THROWS_AS(second.get_or_load<int>("a", how, fail), std::runtime_error);
}

TEST_CASE("what is stale survives the process, and can be served by the next one") {
  fixture f;
  f.open().set("a", 1, swift);
  f.clock.advance(30min);

  auto found = f.open().get_or_load<int>("a", swift, fail);

  CHECK(found.value == 1);
  CHECK(found.freshness == cache::freshness::stale);
  CHECK(found.age == 30min);
  CHECK(found.error);
}
