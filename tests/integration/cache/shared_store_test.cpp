// Several stores on one server, as several processes have them.

#include "conformance/cache_suite.hpp"
#include "scalekit/cache.hpp"
#include "shared_servers.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

namespace cache = scalekit::cache;
using namespace cache_test;
using cache::tier;

namespace {

/// Each store of the suite has a namespace, and so a server, of its own.
void pass_suite(shared_server& server, std::size_t memory_bytes, bool hears_changes = false) {
  int opened = 0;
  conformance::cache::run([&](const scalekit::clock& clock) {
    auto params = only_shared(server.url());
    params.memory.max_bytes = memory_bytes;
    params.shared_coherence = hears_changes;
    params.shared_namespace = "suite" + std::to_string(++opened);
    params.clock = &clock;
    return cache::store::open(params);
  });
}

constexpr cache::policy minute = conformance::cache::minute;

}  // namespace

TEST_CASE("a redis server alone passes the cache suite") {
  redis_server server;
  pass_suite(server, 0);
}

TEST_CASE("memory over a redis server passes the cache suite") {
  redis_server server;
  pass_suite(server, 1 << 20);
}

TEST_CASE("memory that hears of changes on a redis server passes the cache suite") {
  redis_server server;
  pass_suite(server, 1 << 20, true);
}

TEST_CASE("memcached alone passes the cache suite") {
  memcached_server server;
  pass_suite(server, 0);
}

TEST_CASE("memory over memcached passes the cache suite") {
  memcached_server server;
  pass_suite(server, 1 << 20);
}

TEST_CASE("what one store keeps another finds, and has it in memory next") {
  for_each_server([](shared_server& server) {
    scalekit::testing::manual_clock clock;
    auto params = with_memory(server.url());
    params.clock = &clock;
    auto one = cache::store::open(params);
    auto two = cache::store::open(params);
    const cache::policy how{.type = "t", .ttl = 60s, .memory_ttl = 10s, .jitter = 0};
    one.set("a", 1, how);

    clock.advance(20s);
    CHECK(two.get<int>("a").tier == tier::shared);
    auto again = two.get<int>("a");
    CHECK(again.tier == tier::memory);
    CHECK(again.value == 1);
    CHECK(again.age == 20s);
    clock.advance(10s);
    CHECK(two.get<int>("a").tier == tier::shared);
    clock.advance(30s);
    CHECK_FALSE(two.get<int>("a"));
    CHECK(two.stats().shared_hits == 2);
    CHECK(two.stats().memory_hits == 1);
    CHECK(two.stats().misses == 1);
    CHECK(two.stats().shared.expired == 1);
  });
}

TEST_CASE("an erase, a set and a clear by another store during a load win everywhere") {
  struct row {
    const char* what;
    void (*change)(cache::store&);
    std::optional<int> left;
  };
  const std::vector<row> rows{
      {"erase", [](cache::store& s) { s.erase("a"); }, std::nullopt},
      {"set", [](cache::store& s) { s.set("a", 2, minute); }, 2},
      {"clear", [](cache::store& s) { s.clear(); }, std::nullopt},
  };
  for_each_server([&](shared_server& server) {
    for (const auto& [what, change, left] : rows) {
      CAPTURE(what);
      auto loading = cache::store::open(with_memory(server.url()));
      auto changing = cache::store::open(with_memory(server.url()));
      changing.clear();

      auto loaded = loading.get_or_load<int>("a", minute, [&] {
        change(changing);
        return 1;
      });
      CHECK(loaded.value == 1);
      CHECK(loading.get<int>("a").value == left);
      CHECK(changing.get<int>("a").value == left);
      CHECK(loading.stats().fenced_fills == 1);

      auto async_load = [&] {
        change(changing);
        return 1;
      };
      changing.erase("a");
      auto other = cache::store::open(with_memory(server.url()));
      CHECK(other.async_get_or_load<int>("a", minute, async_load, boost::asio::use_future)
                .get()
                .value == 1);
      CHECK(other.get<int>("a").value == left);
    }
  });
}

TEST_CASE("what another store has loaded is not loaded again") {
  for_each_server([](shared_server& server) {
    auto one = cache::store::open(with_memory(server.url()));
    auto two = cache::store::open(with_memory(server.url()));

    CHECK(one.get_or_load<int>("a", minute, [] { return 1; }).tier == tier::loader);
    CHECK(two.get_or_load<int>("a", minute, [] { return 2; }).tier == tier::shared);
    CHECK(two.async_get_or_load<int>(
                 "a", minute, [] { return 3; }, boost::asio::use_future)
              .get()
              .tier == tier::memory);
    CHECK(two.stats().loads == 0);
  });
}

TEST_CASE("stores of another namespace neither see nor clear each other") {
  for_each_server([](shared_server& server) {
    auto params = only_shared(server.url());
    auto one = cache::store::open(params);
    params.shared_namespace = "other";
    auto two = cache::store::open(params);
    one.set("a", 1, minute);

    CHECK_FALSE(two.get<int>("a"));
    two.clear();
    CHECK(one.get<int>("a").value == 1);
  });
}

TEST_CASE("a clear by another store is seen at once by who has no memory") {
  for_each_server([](shared_server& server) {
    auto one = cache::store::open(only_shared(server.url()));
    auto two = cache::store::open(only_shared(server.url()));
    one.set("a", 1, minute);
    CHECK(two.get<int>("a").value == 1);

    two.clear();
    CHECK_FALSE(one.get<int>("a"));
    one.set("a", 2, minute);
    CHECK(two.get<int>("a").value == 2);
  });
}

TEST_CASE("keys of any bytes and lengths are told apart by all stores") {
  for_each_server([](shared_server& server) {
    auto one = cache::store::open(only_shared(server.url()));
    auto two = cache::store::open(only_shared(server.url()));
    const std::vector<std::string> keys{"word",
                                        "two words",
                                        "two  words",
                                        "line\nbreak\r\n",
                                        std::string("nul\0byte", 8),
                                        std::string("nul\0", 4),
                                        "na\xc3\xafve \xff\xfe",
                                        std::string(250, 'k'),
                                        std::string(251, 'k'),
                                        std::string(10'240, 'k')};

    for (std::size_t i = 0; i < keys.size(); ++i) one.set(keys[i], i, minute);
    for (std::size_t i = 0; i < keys.size(); ++i) CHECK(two.get<std::size_t>(keys[i]).value == i);
    for (const auto& key : keys) two.erase(key);
    for (const auto& key : keys) CHECK_FALSE(one.get<std::size_t>(key));
  });
}

TEST_CASE("stores that change the same keys at once never show a foreign value") {
  for_each_server([](shared_server& server) {
    constexpr int rounds = 200;
    auto hammer = [&](int self) {
      auto store = cache::store::open(with_memory(server.url()));
      for (int i = 0; i < rounds; ++i) {
        const auto key = "key" + std::to_string((self + i) % 3);
        if (i % 7 == 0) store.erase(key);
        if (i % 5 == 0) store.set(key, key + " set", minute);
        const auto found =
            store.get_or_load<std::string>(key, minute, [&] { return key + " loaded"; });
        if (!found || !found->starts_with(key)) return false;
      }
      return store.stats().shared.corrupt == 0;
    };
    std::vector<char> fine(3);
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < fine.size(); ++i) {
      threads.emplace_back([&, i] { fine[i] = hammer(static_cast<int>(i)); });
    }
    threads.clear();
    for (const auto each : fine) CHECK(each);
  });
}
