#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/event_log.hpp"
#include "support/redis/sentinels.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::client_params;
using scalekit::redis::command;

// The master is another one than before.

namespace {

/// Longer than the sentinels of a busy machine take, who may need several attempts.
constexpr std::chrono::seconds patience = 2 * support::long_patience;

std::string local(const support::redis::server& at) {
  return "127.0.0.1:" + std::to_string(at.port());
}

/// What became of writes.
struct tally {
  std::atomic<bool> is_over{false};
  std::atomic<int> sure{0};
  std::mutex mutex;
  std::map<errc, int> failed;
  std::chrono::nanoseconds longest{0};

  void note(const scalekit::error* e, std::chrono::steady_clock::time_point since) {
    const std::lock_guard lock(mutex);
    longest = std::max<std::chrono::nanoseconds>(longest, std::chrono::steady_clock::now() - since);
    if (e == nullptr) {
      ++sure;
    } else {
      ++failed[static_cast<errc>(e->code().value())];
    }
  }
};

asio::awaitable<void> write_on(client c, tally& t, int id, std::chrono::milliseconds timeout) {
  for (int i = 0; !t.is_over; ++i) {
    const auto since = std::chrono::steady_clock::now();
    try {
      co_await c.async_call<done>(command("SADD", "all", std::to_string(id * 1'000'000 + i)),
                                  {.timeout = timeout}, asio::use_awaitable);
      t.note(nullptr, since);
    } catch (const scalekit::error& e) {
      t.note(&e, since);
    }
  }
}

void write_on_blocking(client c, tally& t, int id, std::chrono::milliseconds timeout) {
  for (int i = 0; !t.is_over; ++i) {
    const auto since = std::chrono::steady_clock::now();
    try {
      c.call<done>(command("SADD", "all", std::to_string(id * 1'000'000 + i)),
                   {.timeout = timeout});
      t.note(nullptr, since);
    } catch (const scalekit::error& e) {
      t.note(&e, since);
    }
  }
}

}  // namespace

TEST_CASE(
    "the master is killed under load: who waits gets the new one, the rest is told the truth") {
  support::redis::sentinels group;
  support::event_log log;
  loop host;
  constexpr auto timeout = patience;
  auto c =
      client::open(group.url(), {.acquire_timeout = patience, .reconnect = soon, .log = log.sink()},
                   host.execution());
  tally t;
  constexpr int coroutines = 32, threads = 2;
  std::vector<std::future<void>> ends;
  for (int i = 0; i < coroutines; ++i) {
    ends.push_back(asio::co_spawn(host.io(), write_on(c, t, i, timeout), asio::use_future));
  }
  std::vector<std::thread> callers;
  for (int i = 0; i < threads; ++i) {
    callers.emplace_back(write_on_blocking, c, std::ref(t), coroutines + i,
                         std::chrono::milliseconds(timeout));
  }
  REQUIRE(support::wait_until([&] { return t.sure > 200; }));

  auto& old = group.data(0);
  old.kill9();
  auto& now = group.wait_for_another(old);
  const auto before = t.sure.load();
  CHECK(support::wait_until([&] { return t.sure > before + 200; }));
  t.is_over = true;
  for (auto& each : ends) each.get();
  for (auto& each : callers) each.join();

  // A call was under way for each of them at most when it died, and a thread whose own connection
  // fell first may have put its next call on the shared one, whose end was not yet heard: those are
  // in doubt, and nothing else failed.
  int doubts = 0;
  for (const auto& [code, count] : t.failed) {
    INFO(std::string(scalekit::make_error_code(code).message()));
    CHECK(code == errc::commit_in_doubt);
    doubts += count;
  }
  CHECK(doubts <= coroutines + 2 * threads);
  CHECK(t.longest < timeout);
  const auto s = c.statistics();
  CHECK(s.master == local(now));
  CHECK(s.failovers == 1);
  CHECK(log.count("redis.failover") == 1);
  CHECK(support::contains(log.last("redis.failover"), "it was " + local(old)));

  const auto written = now.ask({"SCARD", "all"});
  c.call<done>(command("SET", "after", "1"));
  CHECK(now.ask({"GET", "after"}) == "1");
  // Replication does not wait: what was acknowledged last may be gone, as Redis says.
  CHECK(std::stoi(written) > before / 2);
}

TEST_CASE("a planned failover: calls go on, on the new master") {
  support::redis::sentinels group;
  loop host;
  auto c =
      client::open(group.url(), {.acquire_timeout = patience, .reconnect = soon}, host.execution());
  tally t;
  std::vector<std::future<void>> ends;
  for (int i = 0; i < 32; ++i) {
    ends.push_back(asio::co_spawn(host.io(), write_on(c, t, i, patience), asio::use_future));
  }
  REQUIRE(support::wait_until([&] { return t.sure > 200; }));

  auto& old = group.data(0);
  REQUIRE(group.sentinel(0).ask({"SENTINEL", "FAILOVER", "shop"}) == "OK");
  auto& now = group.wait_for_another(old);
  const auto before = t.sure.load();
  CHECK(support::wait_until([&] { return t.sure > before + 200; }));
  t.is_over = true;
  for (auto& each : ends) each.get();

  for (const auto& [code, count] : t.failed) {
    INFO(std::string(scalekit::make_error_code(code).message()));
    CHECK(code == errc::commit_in_doubt);
  }
  CHECK(c.statistics().master == local(now));
  CHECK(c.statistics().failovers == 1);
}

TEST_CASE("a master that stood still and is replaced gets no call when it comes back") {
  support::redis::sentinels group;
  support::event_log log;
  loop host;
  auto c = client::open(group.url(),
                        {.timeout = patience,
                         .acquire_timeout = patience,
                         .silence_timeout = 10min,
                         .reconnect = soon,
                         .log = log.sink()},
                        host.execution());
  c.call<done>(command("SET", "k", "v"));
  c.async_call<done>(command("SET", "l", "w"), asio::use_future).get();
  auto& old = group.data(0);
  REQUIRE(support::wait_until([&] { return group.data(1).ask({"DBSIZE"}) == "2"; }));

  old.freeze();
  auto read = c.async_call<std::string>(command("GET", "k"), asio::use_future);
  auto write = c.async_call<int>(command("INCR", "n"), asio::use_future);
  auto blocking = std::async(std::launch::async, [&] { return c.call<int>(command("INCR", "m")); });
  auto& now = group.wait_for_another(old);

  // Nobody had to wait for the silence: the news was enough.
  CHECK(read.get() == "v");
  CHECK(outcome_unknown(failure_of(std::move(write))));
  CHECK(outcome_unknown(failure_of(std::move(blocking))));
  CHECK(log.has("redis.master_doubted"));

  old.thaw();
  for (int i = 0; i < 50; ++i) {
    c.call<done>(command("SET", "after:" + std::to_string(i), "b"));
    c.async_call<done>(command("SET", "after:" + std::to_string(i), "a"), asio::use_future).get();
  }
  CHECK(now.ask({"GET", "after:49"}) == "a");
  // What it has is the new master's, which has made a replica of it.
  CHECK(support::wait_until([&] { return old.ask({"ROLE"}).starts_with("slave"); }));
  CHECK(c.statistics().master == local(now));
}

TEST_CASE("a master that becomes a replica refuses a write, which is done by the next one") {
  support::redis::sentinels group;
  loop host;
  auto c = client::open(group.url(),
                        {.timeout = patience, .acquire_timeout = patience, .reconnect = soon},
                        host.execution());
  CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 1);
  CHECK(c.call<int>(command("INCR", "n")) == 2);
  auto waiting =
      c.async_call<std::pair<std::string, std::string>>(command("BLPOP", "q", 0), asio::use_future);
  REQUIRE(support::wait_until([&] { return c.statistics().blocking.in_flight == 1; }));

  auto& old = group.data(0);
  auto& next = group.data(1);
  REQUIRE(support::wait_until([&] { return next.ask({"GET", "n"}) == "2"; }));
  next.ask({"REPLICAOF", "NO", "ONE"});
  old.ask({"REPLICAOF", "127.0.0.1", std::to_string(next.port())});
  auto async = c.async_call<int>(command("INCR", "n"), asio::use_future);
  auto blocking = std::async(std::launch::async, [&] { return c.call<int>(command("INCR", "n")); });

  // The sentinels find a master that is none, and make one.
  CHECK(async.get() + blocking.get() == 3 + 4);
  c.call<done>(command("RPUSH", "q", "x"));
  CHECK(waiting.get().second == "x");
  CHECK(c.statistics().repeated >= 1);
  CHECK(c.statistics().in_doubt == 0);
}
