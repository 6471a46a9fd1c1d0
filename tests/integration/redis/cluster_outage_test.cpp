#include "failure.hpp"
#include "going_on.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/event_log.hpp"
#include "support/redis/cluster.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <algorithm>
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
using scalekit::redis::read_from;

// Nodes that go, stand still and come back.

namespace {

using std::chrono::steady_clock;

const scalekit::backoff_params shortly{.base = 5ms, .cap = 100ms};

struct counting {
  std::string key;
  std::size_t node = 0;
  std::atomic<int> acknowledged{0};
  std::atomic<int> in_doubt{0};
  std::atomic<int> failed{0};
  /// Failed with what no outage explains.
  std::atomic<int> odd{0};
  std::atomic<std::int64_t> longest_ms{0};
};

bool is_of_an_outage(const scalekit::error& e) {
  const auto code = e.code();
  return code == errc::commit_in_doubt || code == errc::unavailable ||
         code == errc::acquire_timeout || code == errc::connection_lost;
}

asio::awaitable<void> count_up(client c, counting& n, const std::atomic<bool>& stop) {
  while (!stop) {
    const auto begun = steady_clock::now();
    try {
      co_await c.async_call<int>(command("INCR", n.key), asio::use_awaitable);
      ++n.acknowledged;
    } catch (const scalekit::error& e) {
      ++(outcome_unknown(e) ? n.in_doubt : n.failed);
      if (!is_of_an_outage(e)) ++n.odd;
    }
    const auto took =
        std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - begun);
    n.longest_ms = std::max<std::int64_t>(n.longest_ms, took.count());
  }
}

}  // namespace

TEST_CASE("a master is killed under load: its calls wait for the new one, or fail typed") {
  support::redis::cluster servers;
  support::event_log log;
  loop host;
  auto c = client::open(
      servers.url(),
      {.timeout = 30s, .acquire_timeout = 20s, .reconnect = shortly, .log = log.sink()},
      host.execution());
  std::vector<counting> counters(63);
  std::atomic<bool> stop{false};
  std::vector<std::future<void>> running;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    counters[i].node = i % 3;
    counters[i].key = "{" + servers.key_on(i % 3, "kill:") + "}" + std::to_string(i);
    running.push_back(asio::co_spawn(host.io(), count_up(c, counters[i], stop), asio::use_future));
  }
  REQUIRE(all_went_on(counters));

  servers.node(0).kill9();
  servers.wait_until_master(3);
  CHECK(all_went_on(counters));
  const auto blocking = c.call<text>(command("GET", counters[0].key), {.timeout = 30s});
  CHECK(blocking);
  servers.node(0).start();
  servers.wait_until_well();
  CHECK(all_went_on(counters));
  stop = true;
  for (auto& each : running) each.get();

  std::int64_t longest = 0;
  int in_doubt = 0;
  int failed = 0;
  for (const auto& n : counters) {
    INFO(n.key, ": ", n.acknowledged.load(), " acknowledged, ", n.in_doubt.load(), " in doubt");
    const auto is = c.call<int>(command("GET", n.key));
    CHECK(n.odd == 0);
    CHECK(is <= n.acknowledged + n.in_doubt);
    // Of the master that died, Redis may lose what it had acknowledged and not passed on.
    if (n.node != 0) CHECK(is >= n.acknowledged);
    longest = std::max(longest, n.longest_ms.load());
    in_doubt += n.in_doubt;
    failed += n.failed;
  }
  // Of a connection on which nothing was under way nobody has to know.
  CHECK((log.has("redis.lost") || in_doubt == 0));
  CHECK(log.count("redis.cluster.map") >= 2);
  const auto s = c.statistics();
  MESSAGE("the longest call took ", longest, " ms; ", in_doubt, " in doubt, ", failed,
          " failed; refreshes ", s.refreshes, ", moved ", s.moved);
}

TEST_CASE("a master that dies unnoticed is replaced for those who block, too") {
  support::redis::cluster servers;
  auto c =
      client::open(servers.url(), {.timeout = 30s, .acquire_timeout = 20s, .reconnect = shortly});
  const auto k = servers.key_on(1);
  c.call<done>(command("SET", k, "v"));
  servers.wait_until_followed(1);

  servers.node(1).kill9();

  CHECK(c.call<text>(command("GET", k)) == "v");
  CHECK(c.call<int>(command("APPEND", k, "w")) == 2);
  CHECK(servers.node(4).ask({"GET", k}) == "vw");
  // Its place in the map is the replica's, which has none now.
  CHECK(c.call<text>(command("GET", k), {.read_from = read_from::replica}) == "vw");
}

TEST_CASE("without a replica up the master answers what was to be read there") {
  support::redis::cluster servers;
  auto c =
      client::open(servers.url(), {.timeout = 30s, .acquire_timeout = 20s, .reconnect = shortly});
  const auto k = servers.key_on(2);
  c.call<done>(command("SET", k, "v"));
  servers.wait_until_followed(2);
  CHECK(c.call<text>(command("GET", k), {.read_from = read_from::replica}) == "v");

  servers.node(5).kill9();

  CHECK(c.call<text>(command("GET", k), {.read_from = read_from::replica}) == "v");
  CHECK(c.async_call<text>(command("GET", k), {.read_from = read_from::replica}, asio::use_future)
            .get() == "v");
}

TEST_CASE(
    "all nodes down: calls keep their time and say why, and a cluster that is back is found") {
  support::redis::cluster servers({.has_replicas = false, .durable = true});
  support::event_log log;
  loop host;
  auto c = client::open(servers.url(),
                        {.acquire_timeout = 200ms, .reconnect = shortly, .log = log.sink()},
                        host.execution());
  const auto k = servers.key_on(0);
  c.call<done>(command("SET", k, "v"));
  c.async_call<done>(command("SET", k, "v"), asio::use_future).get();
  for (std::size_t i = 0; i < 3; ++i) servers.node(i).kill9();

  for (int i = 0; i < 5; ++i) {
    const auto blocking = failure_of([&] { c.call<text>(command("GET", k)); });
    const auto async = failure_of(c.async_call<text>(command("GET", k), asio::use_future));
    const auto late =
        failure_of(c.async_call<text>(command("GET", k), {.timeout = 20ms}, asio::use_future));
    for (const auto& e : {blocking, async, late}) CHECK(is_of_an_outage(e));
  }
  CHECK(support::wait_until([&] {
    c.async_call<text>(command("GET", k), scalekit::as_result(asio::use_future)).get();
    return log.has("redis.cluster.map_failed");
  }));
  // A storm it is not: refreshes are far fewer than attempts.
  const auto before = c.statistics().refreshes;
  std::vector<std::future<scalekit::result<text>>> many;
  for (int i = 0; i < 500; ++i) {
    many.push_back(c.async_call<text>(command("GET", k), scalekit::as_result(asio::use_future)));
  }
  for (auto& each : many) CHECK_FALSE(each.get().has_value());
  CHECK(c.statistics().refreshes - before < 100);

  for (std::size_t i = 0; i < 3; ++i) servers.node(i).start();
  CHECK(support::wait_until([&] {
    return c.async_call<text>(command("GET", k), scalekit::as_result(asio::use_future))
        .get()
        .has_value();
  }));
  CHECK(c.call<text>(command("GET", k), {.timeout = 30s}) == "v");
}

TEST_CASE("half of a cluster that is down is waited for within the call's time") {
  support::redis::cluster servers({.has_replicas = false, .durable = true});
  loop host;
  auto c =
      client::open(servers.url(), {.timeout = 40s, .acquire_timeout = 30s, .reconnect = shortly},
                   host.execution());
  const auto k = servers.key_on(1);
  c.call<done>(command("SET", k, "v"));
  servers.node(0).kill9();
  REQUIRE(support::wait_until([&] {
    return servers.node(1).ask({"CLUSTER", "INFO"}).find("cluster_state:fail") != std::string::npos;
  }));

  const auto e = failure_of([&] { c.call<text>(command("GET", k), {.timeout = 100ms}); });
  CHECK(e.code() == errc::unavailable);
  CHECK(e.diag().backend_code == "CLUSTERDOWN");
  auto waiting = c.async_call<int>(command("APPEND", k, "w"), asio::use_future);
  servers.node(0).start();

  CHECK(waiting.get() == 2);
  CHECK(c.call<text>(command("GET", k)) == "vw");
}

TEST_CASE("a node that stands still costs its callers their time, and nobody else's") {
  support::redis::cluster servers;
  loop host;
  auto c = client::open(servers.url(),
                        {.timeout = 30s,
                         .acquire_timeout = 20s,
                         .connect_timeout = 300ms,
                         .silence_timeout = 300ms,
                         .reconnect = shortly},
                        host.execution());
  const auto stuck = servers.key_on(0);
  const auto other = servers.key_on(1);
  for (const auto& k : {stuck, other}) {
    c.async_call<done>(command("SET", k, "v"), asio::use_future).get();
  }
  servers.wait_until_followed(0);
  servers.node(0).freeze();

  auto write =
      c.async_call<int>(command("APPEND", stuck, "w"), {.timeout = 100ms}, asio::use_future);
  auto read = c.async_call<text>(command("GET", stuck), asio::use_future);
  CHECK(c.async_call<text>(command("GET", other), asio::use_future).get() == "v");
  CHECK(outcome_unknown(failure_of(std::move(write))));
  // By the replica that has become the master.
  CHECK(read.get() == "v");
  servers.node(0).thaw();
}

TEST_CASE("a close in the middle of a pause settles everybody") {
  support::redis::cluster servers({.has_replicas = false});
  loop host;
  auto c =
      client::open(servers.url(),
                   {.timeout = 60s, .acquire_timeout = 60s, .reconnect = {.base = 1s, .cap = 10s}},
                   host.execution());
  const auto k = servers.key_on(0);
  c.call<done>(command("SET", k, "v"));
  c.async_call<done>(command("SET", k, "v"), asio::use_future).get();
  servers.node(0).kill9();
  std::vector<std::future<text>> waiting;
  for (int i = 0; i < 10; ++i) {
    waiting.push_back(c.async_call<text>(command("GET", k), asio::use_future));
  }
  auto blocking = std::async(std::launch::async, [&] { return c.call<text>(command("GET", k)); });

  c.close(50ms);

  for (auto& each : waiting) CHECK(failure_of(std::move(each)).code());
  CHECK(failure_of(std::move(blocking)).code());
}
