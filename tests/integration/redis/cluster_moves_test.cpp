#include "failure.hpp"
#include "going_on.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/cluster.hpp"
#include "support/sanitizer.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;
using scalekit::redis::script;
using scalekit::redis::transaction;

// Slots that change their node while they are used.

namespace {

support::redis::cluster& masters() {
  static support::redis::cluster three({.has_replicas = false});
  return three;
}

/// One of 64 that count up, each its own number.
struct counting {
  std::string key;
  std::atomic<int> acknowledged{0};
  std::atomic<int> in_doubt{0};
  std::atomic<int> failed{0};
  /// An answer that is not one more than the last.
  std::atomic<int> wrong{0};
};

asio::awaitable<void> count_up(client c, counting& n, const std::atomic<bool>& stop) {
  while (!stop) {
    try {
      const auto now = co_await c.async_call<int>(command("INCR", n.key), asio::use_awaitable);
      if (now != ++n.acknowledged + n.in_doubt && n.in_doubt == 0) ++n.wrong;
    } catch (const scalekit::error& e) {
      ++(outcome_unknown(e) ? n.in_doubt : n.failed);
    }
  }
}

}  // namespace

TEST_CASE("a slot that has moved is found at its new node, by every kind of call") {
  auto& servers = masters();
  auto c = client::open(servers.url());
  const auto k = "{" + servers.key_on(0, "moved:") + "}";
  const auto slot = servers.slot_of(k);
  c.call<done>(command("SET", k, "v"));
  c.async_call<done>(command("SET", k + "n", 1), asio::use_future).get();
  servers.begin_move(slot, 0, 1);
  servers.move_keys(slot, 0, 1);
  servers.end_move(slot, 0, 1);

  CHECK(c.call<text>(command("GET", k)) == "v");
  CHECK(c.statistics().moved == 1);
  // It is known from the first on.
  CHECK(c.async_call<int>(command("INCR", k + "n"), asio::use_future).get() == 2);
  CHECK(c.statistics().moved == 1);

  servers.begin_move(slot, 1, 0);
  servers.move_keys(slot, 1, 0);
  servers.end_move(slot, 1, 0);
  using pair = std::pair<int, int>;
  CHECK(c.async_call<pair>(transaction(command("INCR", k + "n"), command("INCR", k + "n")),
                           asio::use_future)
            .get() == pair{3, 4});
  CHECK(c.statistics().moved == 2);
  const script read("return redis.call('GET', KEYS[1])");
  CHECK(c.call<std::string>(read({k})) == "v");
}

TEST_CASE("on the way: what has gone is asked for at the other node, what is torn is waited for") {
  auto& servers = masters();
  loop host;
  auto c = client::open(servers.url(), {.reconnect = {.base = 1ms, .cap = 20ms}}, host.execution());
  const auto k = "{" + servers.key_on(1, "asked:") + "}";
  const auto slot = servers.slot_of(k);
  c.call<done>(command("MSET", k + "a", 1, k + "b", 1));
  servers.begin_move(slot, 1, 2);
  servers.node(1).ask(
      {"MIGRATE", "127.0.0.1", std::to_string(servers.node(2).port()), k + "a", "0", "10000"});

  // It has gone, and the map stays as it is.
  CHECK(c.call<int>(command("INCR", k + "a")) == 2);
  CHECK(c.async_call<int>(command("INCR", k + "a"), asio::use_future).get() == 3);
  CHECK(c.statistics().asked == 2);
  CHECK(c.statistics().moved == 0);
  using pair = std::pair<int, int>;
  const script add("return redis.call('INCR', KEYS[1])");
  CHECK(c.call<int>(add({k + "a"})) == 4);
  CHECK(c.async_call<int>(add({k + "a"}), asio::use_future).get() == 5);
  CHECK(c.call<pair>(transaction(command("INCR", k + "a"), command("INCR", k + "a"))) ==
        pair{6, 7});

  // Of two keys one is on either side: neither node can.
  const auto torn = [&] { return command("MGET", k + "a", k + "b"); };
  const auto e = failure_of([&] { c.call<std::vector<text>>(torn(), {.timeout = 200ms}); });
  CHECK((e.code() == errc::conflict || is_timeout(e)));
  auto pending = c.async_call<std::vector<text>>(torn(), {.timeout = 60s}, asio::use_future);
  servers.move_keys(slot, 1, 2);
  CHECK(pending.get() == std::vector<text>{"7", "1"});

  servers.end_move(slot, 1, 2);
  CHECK(c.call<int>(command("INCR", k + "a")) == 8);
  servers.begin_move(slot, 2, 1);
  servers.move_keys(slot, 2, 1);
  servers.end_move(slot, 2, 1);
}

TEST_CASE("64 who count up while their slot goes to and fro: nothing is lost or counted twice") {
  auto& servers = masters();
  loop host;
  auto c = client::open(servers.url(), {.timeout = 30s, .reconnect = {.base = 1ms, .cap = 20ms}},
                        host.execution());
  const auto tag = "{" + servers.key_on(0, "load:") + "}";
  const auto slot = servers.slot_of(tag);
  std::vector<counting> counters(64);
  std::atomic<bool> stop{false};
  std::vector<std::future<void>> running;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    counters[i].key = tag + std::to_string(i);
    running.push_back(asio::co_spawn(host.io(), count_up(c, counters[i], stop), asio::use_future));
  }
  REQUIRE(all_went_on(counters));

  std::size_t from = 0;
  for (const std::size_t to : {1U, 2U, 0U, 1U, 0U}) {
    servers.begin_move(slot, from, to);
    CHECK(all_went_on(counters));
    servers.move_keys(slot, from, to);
    CHECK(all_went_on(counters));
    // What has come since.
    servers.move_keys(slot, from, to);
    servers.end_move(slot, from, to);
    CHECK(all_went_on(counters));
    from = to;
  }
  stop = true;
  for (auto& each : running) each.get();

  for (const auto& n : counters) {
    INFO(n.key, ": ", n.acknowledged.load(), " acknowledged, ", n.in_doubt.load(), " in doubt");
    const auto is = c.call<int>(command("GET", n.key));
    CHECK(n.wrong == 0);
    CHECK(n.failed == 0);
    CHECK(n.in_doubt == 0);
    CHECK(is == n.acknowledged);
  }
  const auto s = c.statistics();
  CHECK(s.asked > 0);
  CHECK(s.moved > 0);
  CHECK(s.in_doubt == 0);
  MESSAGE("moved ", s.moved, ", asked ", s.asked, ", refreshes ", s.refreshes);
}
