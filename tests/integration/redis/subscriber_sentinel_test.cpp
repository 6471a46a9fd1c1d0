// Whom a subscriber hears where sentinels say which server is the master.

#include "scalekit/redis.hpp"
#include "scripted_sentinel.hpp"
#include "support/event_log.hpp"
#include "support/redis/sentinels.hpp"
#include "support/redis/server.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::redis::invalidation;
using scalekit::redis::subscriber;
using scalekit::redis::subscriber_params;
using scalekit::redis::subscription_gap;

namespace {

/// Sentinels of a busy machine may need several attempts.
constexpr auto patience = 2 * support::long_patience;

struct ear {
  subscriber_params params() {
    return {.tracked_prefixes = {"p:"},
            .on_invalidated =
                [this](const invalidation& i) {
                  const std::lock_guard lock(mutex);
                  for (const auto key : i.keys) keys.emplace_back(key);
                },
            .on_gap = [this](const subscription_gap&) { ++gaps; },
            .reconnect = {.base = 5ms, .cap = 50ms},
            .check_interval = 200ms,
            .log = log.sink()};
  }

  bool hears(const support::redis::server& from, const std::string& key) {
    return support::wait_until(
        [&] {
          from.ask({"SET", key, "1"});
          const std::lock_guard lock(mutex);
          return std::ranges::find(keys, key) != keys.end();
        },
        patience);
  }

  support::event_log log;
  std::mutex mutex;
  std::vector<std::string> keys;
  std::atomic<int> gaps{0};
};

}  // namespace

TEST_CASE("a subscriber hears the master, and after a failover the new one") {
  support::redis::sentinels group({.sentinel_password = "their-own"});
  ear e;
  const subscriber s(group.url(), e.params());
  auto& old = group.data(0);
  REQUIRE(e.hears(old, "p:1"));

  SUBCASE("it was killed") {
    old.kill9();
  }
  SUBCASE("it was asked to go") {
    REQUIRE(group.sentinel(0).ask({"SENTINEL", "FAILOVER", "shop"}) == "OK");
  }
  auto& now = group.wait_for_another(old);

  CHECK(e.hears(now, "p:2"));
  CHECK(e.gaps >= 2);
}

TEST_CASE("a subscriber leaves a master that the sentinels have replaced and cannot reach") {
  support::redis::server first, second;
  std::atomic<std::uint16_t> master{first.port()};
  const scripted_server sentinel(says([&] {
    return wire_array({"127.0.0.1", std::to_string(master)});
  }));
  ear e;
  const subscriber s(url_of({sentinel.port()}), e.params());
  REQUIRE(e.hears(first, "p:1"));

  master = second.port();

  CHECK(e.hears(second, "p:2"));
  CHECK(e.log.count("redis.subscriber.lost", "another server is the master") == 1);
}

TEST_CASE("what is said to be the master and is none is not heard, and sentinels are asked again") {
  support::redis::server master, replica;
  replica.ask({"REPLICAOF", "127.0.0.1", std::to_string(master.port())});
  std::atomic<int> asked{0};
  const scripted_server sentinel(says([&] {
    const auto port = ++asked < 3 ? replica.port() : master.port();
    return wire_array({"127.0.0.1", std::to_string(port)});
  }));
  ear e;
  const subscriber s(url_of({sentinel.port()}), e.params());

  CHECK(e.hears(master, "p:1"));
  CHECK(e.gaps == 1);
  CHECK(support::contains(e.log.last("redis.subscriber.lost"), "it is no master but a replica"));
}

TEST_CASE("where no sentinel answers the log says so, and closing does not wait") {
  const support::redis::server once;
  ear e;
  auto params = e.params();
  SUBCASE("nobody is there") {
    subscriber s(url_of({1}), std::move(params));
    CHECK(support::wait_until([&] {
      return support::contains(e.log.last("redis.subscriber.lost"),
                               "no sentinel says where the master");
    }));
  }
  SUBCASE("one does not answer") {
    once.freeze();
    params.connect_timeout = 10min;
    subscriber s(url_of({once.port()}), std::move(params));
    s.close();
    once.thaw();
    CHECK_FALSE(s.is_listening());
  }
}
