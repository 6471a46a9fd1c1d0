// Several keys at once on a shared server.

#include "scalekit/cache.hpp"
#include "shared_servers.hpp"
#include "support/loop.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cache = scalekit::cache;
using namespace cache_test;
using cache::tier;

namespace {

constexpr cache::policy minute{.type = "minute", .ttl = 60s, .jitter = 0};

std::vector<std::string> hundred_keys() {
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back("key" + std::to_string(i));
  return keys;
}

}  // namespace

TEST_CASE("what memory does not have is asked of the server, and is in memory next") {
  for_each_server([](shared_server& server) {
    auto filling = cache::store::open(only_shared(server.url()));
    const auto keys = hundred_keys();
    std::vector<std::pair<std::string, int>> values;
    for (int i = 0; i < 100; i += 2) values.emplace_back(keys[static_cast<std::size_t>(i)], i);
    filling.set_many(values, minute);
    auto store = cache::store::open(with_memory(server.url()));
    store.get<int>(keys[0]);

    const auto first = store.get_many<int>(keys);
    const auto second = store.get_many<int>(keys);

    CHECK(first[0].tier == tier::memory);
    CHECK(first[2].tier == tier::shared);
    CHECK(second[2].tier == tier::memory);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      CHECK(first[i].value.has_value() == (i % 2 == 0));
      if (first[i]) CHECK(*first[i] == static_cast<int>(i));
    }
    CHECK(store.stats().misses == 100);
  });
}

TEST_CASE("what was set together is in memory, all of it") {
  for_each_server([](shared_server& server) {
    auto store = cache::store::open(with_memory(server.url()));
    std::vector<std::pair<std::string, int>> values;
    std::vector<std::string> keys;
    for (int i = 0; i < 1000; ++i) {
      keys.push_back("key" + std::to_string(i));
      values.emplace_back(keys.back(), i);
    }

    store.set_many(values, minute);

    for (const auto& found : store.get_many<int>(keys)) CHECK(found.tier == tier::memory);
  });
}

TEST_CASE("a batch is one command for a redis server, in both directions") {
  redis_server server;
  auto store = cache::store::open(only_shared(server.url()));
  const auto keys = hundred_keys();
  std::vector<std::pair<std::string, int>> values;
  for (const auto& key : keys) values.emplace_back(key, 1);
  store.set_many(values, minute);
  store.get_many<int>(keys);
  const auto calls_of = [&](const std::string& command) {
    const auto info = server.server.ask({"INFO", "commandstats"});
    const auto at = info.find("cmdstat_" + command + ":calls=");
    if (at == std::string::npos) return 0;
    return std::stoi(info.substr(at + command.size() + 15));
  };
  const auto lookups = calls_of("mget");
  const auto scripts = calls_of("evalsha");

  store.get_many<int>(keys);
  store.set_many(values, minute);

  CHECK(calls_of("mget") == lookups + 1);
  CHECK(calls_of("evalsha") == scripts + 1);
}

TEST_CASE("a batch is one question for memcached") {
  memcached_server server;
  auto store = cache::store::open(only_shared(server.url()));
  const auto keys = hundred_keys();
  std::vector<std::pair<std::string, int>> values;
  for (const auto& key : keys) values.emplace_back(key, 1);
  store.set_many(values, minute);

  const auto found = store.get_many<int>(keys);

  for (const auto& each : found) CHECK(each.value == 1);
}

TEST_CASE("an erasure that is owed is paid before a batch is read") {
  for_each_server([](shared_server& server) {
    auto params = only_shared(server.url());
    params.shared_timeout = 100ms;
    auto store = cache::store::open(params);
    store.set("a", 1, minute);
    store.set("b", 2, minute);
    CHECK_THROWS_AS(store.erase("a", {.timeout = 0s}), scalekit::error);

    const auto found = store.get_many<int>({"a", "b"});

    CHECK_FALSE(found[0]);
    CHECK(found[1].value == 2);
  });
}

TEST_CASE("what is missing of many keys is loaded once, for all stores of the server") {
  for_each_server([](shared_server& server) {
    support::loop host;
    const auto keys = hundred_keys();
    std::size_t asked = 0;
    const auto load = [&](cache::store store) {
      return store.get_or_load_many<int>(keys, minute, [&](std::span<const std::string> missing) {
        asked += missing.size();
        store.erase("key7");
        return std::vector<std::optional<int>>(missing.size(), 7);
      });
    };
    SUBCASE("on the host's loop") {
      auto params = only_shared(server.url());
      params.execution = host.execution();
      const auto found = load(cache::store::open(params));
      CHECK(found.at(99).value == 7);
      CHECK(asked == 100);
    }
    SUBCASE("without one") {
      CHECK(load(cache::store::open(only_shared(server.url()))).at(99).value == 7);
      CHECK(asked == 100);
    }
    auto other = cache::store::open(only_shared(server.url()));
    const auto kept = other.get_many<int>(keys);
    for (std::size_t i = 0; i < kept.size(); ++i) {
      INFO("key " << i);
      // One of them was erased while it was loaded.
      CHECK(kept[i].value.has_value() == (i != 7));
    }
    load(other);
    CHECK(asked == 101);
  });
}

TEST_CASE("many keys are loaded all the same when the server is away, in time") {
  for_each_server([](shared_server& server) {
    support::loop host;
    auto params = with_memory(server.url());
    params.shared_timeout = 100ms;
    SUBCASE("on the host's loop") {
      params.execution = host.execution();
    }
    SUBCASE("without one") {}
    auto store = cache::store::open(params);
    server.kill9();
    for (int i = 0; i < 3; ++i) {
      const auto found = store
                             .async_get_or_load_many<int>(
                                 {"a" + std::to_string(i), "b"}, minute,
                                 [](std::span<const std::string> missing) {
                                   return std::vector<std::optional<int>>(missing.size(), 7);
                                 },
                                 {.timeout = 20s}, boost::asio::use_future)
                             .get();
      CHECK(found.at(0).value == 7);
      CHECK(found.at(1).value == 7);
    }
    CHECK(store.get<int>("a0").tier == tier::memory);
  });
}
