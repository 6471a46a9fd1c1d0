#include "scalekit/cache/store.hpp"

#include "conformance/cache_suite.hpp"

#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace std::chrono_literals;
using scalekit::errc;

TEST_CASE("the memory tier alone passes the cache suite") {
  conformance::cache::run([](const scalekit::clock& clock) {
    return cache::store::open({.memory = {.max_bytes = 1 << 20}, .clock = &clock, .seed = 1});
  });
}

TEST_CASE("settings that can never work are refused by name") {
  CHECK_THROWS_WITH_AS(cache::store::open({.memory = {.max_bytes = 0}}),
                       doctest::Contains("without a tier"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(cache::store::open({.memory = {.max_bytes = 1000}}),
                       "store_params.memory.max_bytes is 1000 B; legal: 0 (no memory tier), "
                       "64 KiB to 1 TiB",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(cache::store::open({.memory = {.shards = 3}}),
                       doctest::Contains("store_params.memory.shards is 3"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(cache::store::open({.max_value_bytes = 1}),
                       doctest::Contains("max_value_bytes"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(cache::store::open({.shared_journal = "/tmp/journal"}),
                       doctest::Contains("shared_journal is given without shared"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(cache::store::open({.entries = {.compress_from = 1}}),
                       doctest::Contains("compress_from is 1 B; legal: 0 (none), 64 B to 1 GiB"),
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(cache::store::open({.entries = {.secret = "hush"}}),
                       "store_params.entries.secret is 4 bytes long; legal: 16 to 1024 bytes, or "
                       "none",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(cache::store::open({.entries = {.previous_secret = std::string(16, 's')}}),
                       doctest::Contains("previous_secret is given without a secret"),
                       std::invalid_argument);
}

TEST_CASE("every lookup is counted once, by what it found and by type") {
  auto store = cache::store::open();
  store.set("a", 1, cache::ttl::product);
  store.get<int>("a");
  store.get<int>("a");
  store.get<int>("b");
  store.get_or_load<int>("c", cache::ttl::user, [] { return 1; });

  const auto stats = store.stats();
  CHECK(stats.memory_hits == 2);
  CHECK(stats.misses == 2);
  CHECK(stats.hit_ratio() == 0.5);
  CHECK(stats.memory.entries == 2);
  bool product = false, user = false;
  for (auto& type : stats.types) {
    product |= type.type == "product" && type.hits == 2 && type.misses == 0;
    user |= type.type == "user" && type.misses == 1 && type.loads == 1;
  }
  CHECK(product);
  CHECK(user);
}

TEST_CASE("the bound on bytes holds across shards, whatever is stored") {
  auto store = cache::store::open({.memory = {.max_bytes = 256 << 10, .shards = 4}});
  for (int i = 0; i < 5000; ++i) {
    const auto size = static_cast<std::size_t>(i * 37 % 3000);
    store.set(std::to_string(i), std::string(size, 'x'), cache::ttl::query);
    REQUIRE(store.stats().memory.bytes <= (256 << 10));
  }

  CHECK(store.stats().memory.evicted > 0);
}

TEST_CASE("what does not fit is not kept, and takes its older value with it") {
  auto store = cache::store::open({.memory = {.max_bytes = 64 << 10}});
  store.set("a", std::string("small"), cache::ttl::query);
  store.set("b", std::string(), cache::ttl::query);

  store.set("a", std::string(1 << 20, 'x'), cache::ttl::query);
  CHECK_FALSE(store.get<std::string>("a"));
  store.set(std::string(65536, 'k'), std::string("large key"), cache::ttl::query);
  CHECK_FALSE(store.get<std::string>(std::string(65536, 'k')));
  CHECK(store.get<std::string>("b").value == "");
  CHECK(store.stats().memory.oversized == 2);
  CHECK(store.stats().memory.bytes <= (64 << 10));
}

TEST_CASE("values that have expired give their bytes back before others are evicted") {
  scalekit::testing::manual_clock clock;
  auto store = cache::store::open({.memory = {.max_bytes = 256 << 10}, .clock = &clock});
  constexpr cache::policy brief{.type = "brief", .ttl = 1s, .jitter = 0};
  const std::string value(1000, 'v');
  for (int i = 0; i < 100; ++i) store.set("kept" + std::to_string(i), value, cache::ttl::query);
  for (int round = 0; round < 50; ++round) {
    clock.advance(2s);
    for (int i = 0; i < 50; ++i) store.set(std::to_string(round * 50 + i), value, brief);
  }

  CHECK(store.stats().memory.evicted == 0);
  CHECK(store.stats().memory.expired >= 49 * 50);
  for (int i = 0; i < 100; ++i) REQUIRE(store.get<std::string>("kept" + std::to_string(i)));
}

TEST_CASE("a hit in memory completes on the caller's loop, not inside the call") {
  asio::io_context io;
  auto store = cache::store::open({.execution = scalekit::execution{io.get_executor()}});
  store.set("a", 1, cache::ttl::query);
  bool done = false;
  store.async_get<int>("a", [&](std::exception_ptr, cache::lookup<int> found) {
    done = found.value == 1 && found.tier == cache::tier::memory;
  });

  CHECK_FALSE(done);
  io.run();
  CHECK(done);
}

TEST_CASE("loading on an I/O thread is refused; a hit in memory alone is not") {
  auto store = cache::store::open();
  store.set("a", 1, cache::ttl::query);
  scalekit::io_thread_mark mark;

  CHECK(store.get<int>("a").value == 1);
  conformance::cache::check_code(
      [&] { store.get_or_load<int>("b", cache::ttl::query, [] { return 1; }); }, errc::not_allowed);
}

TEST_CASE("a forked child gets an error") {
  auto store = cache::store::open();
  const auto child = ::fork();
  if (child == 0) {
    int status = 1;
    try {
      store.get<int>("a");
    } catch (const scalekit::error& e) {
      status = e.code() == errc::forked ? 0 : 2;
    }
    ::_exit(status);
  }
  int status = -1;
  ::waitpid(child, &status, 0);

  CHECK(status == 0);
}
