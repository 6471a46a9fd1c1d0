// What memory hears of changes that others make on the shared server.

#include "scalekit/cache.hpp"
#include "shared_servers.hpp"
#include "support/event_log.hpp"
#include "support/redis/sentinels.hpp"
#include "support/sanitizer.hpp"
#include "support/tcp_proxy.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace cache_test;
using cache::tier;

namespace {

/// So long that nothing but a message ends it.
constexpr cache::policy hour{.type = "hour", .ttl = 1h, .jitter = 0, .negative_ttl = 1h};

bool hears(const cache::store& store) {
  return support::wait_until([&] { return store.stats().shared.hears_changes; });
}

cache::store open_coherent(const std::string& url) {
  auto params = with_memory(url);
  params.shared_coherence = true;
  auto store = cache::store::open(std::move(params));
  REQUIRE(hears(store));
  return store;
}

/// Whether memory keeps that: what this store has put there itself it reads once more.
bool keeps(cache::store& store, const std::string& key, int value) {
  return support::wait_until([&] {
    const auto found = store.get<int>(key);
    return found.value == value && found.tier == tier::memory;
  });
}

bool becomes(cache::store& store, const std::string& key, std::optional<int> value) {
  return support::wait_until([&] { return store.get<int>(key).value == value; });
}

}  // namespace

TEST_CASE("what another changes is heard of, however it does") {
  redis_server server;
  auto one = open_coherent(server.url());
  auto two = open_coherent(server.url());
  one.set("a", 1, hour);
  one.set("b", 1, hour);
  REQUIRE(keeps(two, "a", 1));
  REQUIRE(keeps(two, "b", 1));
  std::optional<int> a_is, b_is = 1;

  SUBCASE("a set") {
    one.set("a", 2, hour);
    a_is = 2;
  }
  SUBCASE("a set of several") {
    one.set_many(std::vector<std::pair<std::string, int>>{{"a", 2}, {"b", 3}}, hour);
    a_is = 2;
    b_is = 3;
  }
  SUBCASE("an erase") {
    one.erase("a");
  }
  SUBCASE("an asynchronous one") {
    one.async_erase("a", asio::use_future).get();
  }
  SUBCASE("a load") {
    one.erase("a");
    CHECK(one.get_or_load<int>("a", hour, [] { return 3; }).value == 3);
    a_is = 3;
  }
  SUBCASE("a clear") {
    one.clear();
    b_is = std::nullopt;
  }
  SUBCASE("a person") {
    server.server.ask({"DEL", "test:k:a"});
  }
  SUBCASE("one who flushes the server") {
    server.server.ask({"FLUSHALL"});
    b_is = std::nullopt;
  }
  SUBCASE("a server that needs the room") {
    server.server.ask({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
    server.server.ask({"CONFIG", "SET", "maxmemory", "1"});
    b_is = std::nullopt;
  }
  SUBCASE("a store without memory") {
    auto three = cache::store::open(only_shared(server.url()));
    three.set("a", 4, hour);
    a_is = 4;
  }

  CHECK(becomes(two, "a", a_is));
  CHECK(becomes(two, "b", b_is));
  if (a_is) CHECK(keeps(two, "a", *a_is));
}

TEST_CASE("that there is no value is forgotten, too, once there is one") {
  redis_server server;
  auto one = open_coherent(server.url());
  auto two = open_coherent(server.url());
  auto absent = []() -> std::optional<int> { return std::nullopt; };
  two.get_or_load<int>("a", hour, absent);
  REQUIRE(support::wait_until([&] {
    const auto found = two.get<int>("a");
    return found.tier == tier::memory && found.freshness == cache::freshness::negative;
  }));

  one.set("a", 1, hour);

  CHECK(becomes(two, "a", 1));
}

TEST_CASE("other keys stay, and other namespaces are not told of") {
  redis_server server;
  auto one = open_coherent(server.url());
  auto two = open_coherent(server.url());
  auto params = with_memory(server.url());
  params.shared_namespace = "test2";
  params.shared_coherence = true;
  auto foreign = cache::store::open(std::move(params));
  one.set("a", 1, hour);
  one.set("b", 1, hour);
  REQUIRE(keeps(two, "a", 1));
  REQUIRE(keeps(two, "b", 1));
  const auto heard_before = two.stats().shared.changes_heard;

  foreign.set("b", 2, hour);
  one.set("a", 2, hour);

  REQUIRE(becomes(two, "a", 2));
  CHECK(two.get<int>("b").tier == tier::memory);
  CHECK(two.stats().shared.changes_heard == heard_before + 1);
}

TEST_CASE("what was changed while nothing was heard is not served once that is over") {
  redis_server server;
  support::tcp_proxy proxy(server.port());
  auto one = open_coherent(server.url());
  auto two = open_coherent(server.url_at(proxy.port()));
  one.set("a", 1, hour);
  one.set("b", 1, hour);
  REQUIRE(keeps(two, "a", 1));
  const auto missed = two.stats().shared.changes_missed;

  SUBCASE("the connection was cut") {
    proxy.set_accepting(support::accept_mode::refuse);
    proxy.cut_all();
    REQUIRE(support::wait_until([&] { return !two.stats().shared.hears_changes; }));
    one.set("a", 2, hour);
    one.erase("b");
    // memory_ttl alone bounds it now.
    CHECK(two.get<int>("a").value == 1);
    proxy.set_accepting(support::accept_mode::normal);
  }
  SUBCASE("the connection was half open") {
    proxy.set_to_client({.swallow = true});
    one.set("a", 2, hour);
    one.erase("b");
    CHECK(two.get<int>("a").value == 1);
    REQUIRE(support::wait_until([&] { return !two.stats().shared.hears_changes; }));
    proxy.cut_all_and_heal();
  }

  REQUIRE(support::wait_until([&] { return two.stats().shared.changes_missed > missed; }));
  CHECK(becomes(two, "a", 2));
  CHECK(becomes(two, "b", std::nullopt));
}

TEST_CASE("a server that is killed and comes back empty is heard again") {
  redis_server server;
  auto one = open_coherent(server.url());
  auto two = open_coherent(server.url());
  one.set("a", 1, hour);
  REQUIRE(keeps(two, "a", 1));
  const auto missed = two.stats().shared.changes_missed;

  server.kill9();
  server.start();

  REQUIRE(support::wait_until([&] { return two.stats().shared.changes_missed > missed; }));
  CHECK(support::wait_until([&] {
    one.set("a", 2, hour);
    return two.get<int>("a").value == 2;
  }));
  REQUIRE(keeps(two, "a", 2));
  one.set("a", 3, hour);
  CHECK(becomes(two, "a", 3));
}

TEST_CASE("after a failover memory hears the new master") {
  support::redis::sentinels group;
  auto one = open_coherent(group.url());
  auto two = open_coherent(group.url());
  one.set("a", 1, hour);
  REQUIRE(keeps(two, "a", 1));
  const auto missed = two.stats().shared.changes_missed;

  auto& old = group.data(0);
  old.kill9();
  group.wait_for_another(old);
  REQUIRE(support::wait_until([&] { return two.stats().shared.changes_missed > missed; },
                              2 * support::long_patience));

  REQUIRE(support::wait_until([&] {
    one.set("a", 2, hour);
    return keeps(two, "a", 2);
  }));
  one.set("a", 3, hour);
  CHECK(becomes(two, "a", 3));
}

TEST_CASE("no store is left with an older value, whatever they do at once") {
  redis_server server;
  std::vector<cache::store> stores;
  for (int i = 0; i < 3; ++i) stores.push_back(open_coherent(server.url()));
  auto without_memory = cache::store::open(only_shared(server.url()));
  const int rounds = support::fewer_under_sanitizer(300);
  const std::vector<std::string> keys{"a", "b", "c"};

  for (int round = 0; round < rounds; ++round) {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < stores.size(); ++i) {
      threads.emplace_back([&, i] {
        auto& store = stores[i];
        const auto value = round * 10 + static_cast<int>(i);
        for (const auto& key : keys) {
          store.get<int>(key);
          if (i == 0) store.set(key, value, hour);
          if (i == 1) store.erase(key);
          store.get_or_load<int>(key, hour, [&] { return value + 5; });
          store.get<int>(key);
        }
      });
    }
    threads.clear();
    for (const auto& key : keys) {
      const auto last = without_memory.get<int>(key).value;
      for (auto& store : stores) {
        INFO("round " << round << ", " << key);
        REQUIRE(becomes(store, key, last));
      }
    }
  }
}

TEST_CASE("a store may go while it is told of changes") {
  redis_server server;
  auto one = open_coherent(server.url());
  std::atomic<bool> is_over{false};
  std::jthread writer([&] {
    for (int i = 0; !is_over; ++i) one.set("a", i, hour);
  });
  for (int i = 0; i < 20; ++i) {
    auto two = open_coherent(server.url());
    two.get<int>("a");
    if (i % 2 == 0) two.close();
  }
  is_over = true;
}

TEST_CASE("a server that tells nothing is served as before") {
  redis_server server;
  support::event_log log;
  auto params = with_memory(server.url());
  params.log = log.sink();
  SUBCASE("because it was not asked to") {
    params.shared_coherence = false;
  }
  SUBCASE("because there is no memory that could be old") {
    params.shared_coherence = true;
    params.memory.max_bytes = 0;
  }
  SUBCASE("because the user may not hear it") {
    params.shared_coherence = true;
    server.server.ask({"ACL", "SETUSER", "weak", "on", ">secret", "~*", "+@all", "resetchannels"});
    params.shared = "redis://weak:secret@127.0.0.1:" + std::to_string(server.port());
  }
  auto store = cache::store::open(params);

  store.set("a", 1, hour);
  CHECK(store.get<int>("a").value == 1);
  if (params.shared != server.url()) {
    CHECK(support::wait_until([&] { return log.has("redis.subscriber.lost"); }));
    CHECK(support::contains(log.last("redis.subscriber.lost"), "NOPERM"));
  }
  CHECK_FALSE(store.stats().shared.hears_changes);
  CHECK(server.server.ask({"CLIENT", "LIST", "TYPE", "pubsub"}).empty());
}
