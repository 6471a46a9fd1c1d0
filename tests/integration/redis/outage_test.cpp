#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/event_log.hpp"
#include "support/redis/server.hpp"
#include "support/reserved_port.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <optional>
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

// A server that goes, stands still, or comes back.

TEST_CASE("a server that is not there is unavailable, after the time for it, then at once") {
  const support::reserved_port nobody;
  support::event_log log;
  auto c = client::open(
      "redis://127.0.0.1:" + std::to_string(nobody.number()),
      {.timeout = 60s, .acquire_timeout = 100ms, .reconnect = soon, .log = log.sink()});

  for (int i = 0; i < 20; ++i) {
    const auto blocking = failure_of([&] { return c.call<text>(command("GET", "k")); });
    const auto async = failure_of(c.async_call<text>(command("GET", "k"), asio::use_future));
    for (const auto& e : {blocking, async}) {
      CHECK(e.code() == errc::unavailable);
      CHECK(e.diag().client_message.find("Connection refused") != std::string::npos);
    }
  }
  CHECK(log.has("redis.dial_failed"));
  // Who waited hears of it before it is counted.
  CHECK(support::wait_until([&] { return c.statistics().shared.waiting == 0; }));
  CHECK(support::wait_until([&] { return c.statistics().shared.bytes == 0; }));
}

TEST_CASE("a server that is killed and comes back is found again by both kinds of calls") {
  support::redis::server server({.durable = true});
  auto c = client::open(server.url(), {.acquire_timeout = 10s, .reconnect = soon});
  c.call<done>(command("SET", "k", "v"));
  c.async_call<done>(command("SET", "l", "w"), asio::use_future).get();

  server.kill9();
  auto waiting = c.async_call<text>(command("GET", "l"), {.timeout = 30s}, asio::use_future);
  server.start();

  CHECK(waiting.get() == "w");
  CHECK(c.call<text>(command("GET", "k"), {.timeout = 30s}) == "v");
}

TEST_CASE("a restart between two calls is not noticed, not even by one that writes") {
  support::redis::server server({.durable = true});
  auto c = client::open(server.url(), {.reconnect = soon});
  c.call<done>(command("SET", "n", 1));
  c.async_call<int>(command("INCR", "n"), asio::use_future).get();

  server.stop();
  server.start();
  // Longer than a connection counts as fresh.
  std::this_thread::sleep_for(20ms);

  CHECK(c.call<int>(command("INCR", "n")) == 3);
  CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 4);
}

TEST_CASE("what was under way when the server died is repeated if it reads, else in doubt") {
  support::redis::server server({.durable = true});
  loop host;
  auto c = client::open(
      server.url(),
      {.timeout = 60s, .acquire_timeout = 30s, .silence_timeout = 60s, .reconnect = soon},
      host.execution());
  c.async_call<done>(command("SET", "k", "v"), asio::use_future).get();
  server.freeze();
  std::vector<std::future<text>> reads;
  std::vector<std::future<int>> writes;
  for (int i = 0; i < 10; ++i) {
    reads.push_back(c.async_call<text>(command("GET", "k"), asio::use_future));
    writes.push_back(c.async_call<int>(command("INCR", "n"), asio::use_future));
  }
  auto said_so =
      c.async_call<done>(command("SET", "k", "v"), {.idempotent = true}, asio::use_future);
  REQUIRE(support::wait_until([&] { return c.statistics().shared.in_flight == 21; }));

  server.kill9();
  server.start();

  for (auto& each : reads) CHECK(each.get() == "v");
  for (auto& each : writes) CHECK(outcome_unknown(failure_of(std::move(each))));
  CHECK_NOTHROW(said_so.get());
  const auto s = c.statistics();
  CHECK(s.in_doubt == 10);
  CHECK(s.repeated == 11);
  CHECK(s.connections_lost == 1);
}

TEST_CASE("a blocking call that was under way is treated alike") {
  support::redis::server server({.durable = true});
  auto c = client::open(server.url(), {.timeout = 60s, .acquire_timeout = 30s, .reconnect = soon});
  c.call<done>(command("SET", "k", "v"));
  server.freeze();
  const auto sent = c.statistics().bytes_sent;
  const auto under_way = [&](auto call) {
    auto pending = std::async(std::launch::async, call);
    REQUIRE(support::wait_until([&] { return c.statistics().bytes_sent > sent; }));
    server.kill9();
    server.start();
    return pending;
  };

  SUBCASE("a read is repeated") {
    auto read = under_way([&] { return c.call<text>(command("GET", "k")); });
    CHECK(read.get() == "v");
  }
  SUBCASE("a write is in doubt") {
    auto write = under_way([&] { return c.call<int>(command("INCR", "n")); });
    CHECK(outcome_unknown(failure_of(std::move(write))));
  }
}

TEST_CASE("a server that stands still: callers keep their deadlines, the connection is given up") {
  support::redis::server server;
  support::event_log log;
  loop host;
  auto c =
      client::open(server.url(), {.silence_timeout = 300ms, .reconnect = soon, .log = log.sink()},
                   host.execution());
  c.async_call<done>(command("PING"), asio::use_future).get();
  c.call<done>(command("PING"));
  server.freeze();

  const auto read =
      failure_of(c.async_call<text>(command("GET", "k"), {.timeout = 50ms}, asio::use_future));
  CHECK(read.code() == errc::execution_timeout);
  CHECK(read.diag().client_message.find("calls under way") != std::string::npos);
  CHECK(outcome_unknown(
      failure_of(c.async_call<int>(command("INCR", "n"), {.timeout = 50ms}, asio::use_future))));
  const auto blocking =
      failure_of([&] { return c.call<text>(command("GET", "k"), {.timeout = 50ms}); });
  CHECK(blocking.code() == errc::execution_timeout);

  // Nobody has to be there for it.
  CHECK(support::wait_until([&] { return log.has("redis.given_up"); }));
  server.thaw();
  CHECK(c.async_call<text>(command("ECHO", "x"), {.timeout = 30s}, asio::use_future).get() == "x");
  CHECK(c.call<text>(command("ECHO", "y"), {.timeout = 30s}) == "y");
  CHECK(c.statistics().given_up >= 1);
}

TEST_CASE("a server that loads its data is waited for") {
  support::redis::server server(
      {.durable = true,
       .more = {{"key-load-delay", "1000"}, {"loading-process-events-interval-bytes", "1024"}}});
  server.ask({"DEBUG", "POPULATE", "1000", "k", "10"});
  server.ask({"BGREWRITEAOF"});
  REQUIRE(support::wait_until([&] {
    return server.ask({"INFO", "persistence"}).find("aof_rewrite_in_progress:0") !=
           std::string::npos;
  }));
  auto c = client::open(server.url(), {.timeout = 60s, .acquire_timeout = 30s, .reconnect = soon});

  server.kill9();
  auto waiting = c.async_call<int>(command("DBSIZE"), asio::use_future);
  server.start();

  CHECK(waiting.get() == 1000);
}

TEST_CASE("a close in the middle settles everybody") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {.timeout = 60s}, host.execution());
  c.async_call<done>(command("PING"), asio::use_future).get();
  server.freeze();
  auto read = c.async_call<text>(command("GET", "k"), asio::use_future);
  auto write = c.async_call<int>(command("INCR", "n"), asio::use_future);
  auto waiting = c.async_call<done>(command("BLPOP", "q", 0), asio::use_future);
  auto blocking = std::async(std::launch::async, [&] { return c.call<text>(command("GET", "k")); });
  REQUIRE(support::wait_until([&] { return c.statistics().shared.in_flight == 2; }));

  c.close(100ms);

  CHECK(failure_of(std::move(read)).code() == errc::closed);
  CHECK(outcome_unknown(failure_of(std::move(write))));
  CHECK(failure_of(std::move(waiting)).code());
  CHECK(failure_of(std::move(blocking)).code() == errc::closed);
}
