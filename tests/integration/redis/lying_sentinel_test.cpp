#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "scripted_sentinel.hpp"
#include "support/event_log.hpp"
#include "support/redis/scripted_server.hpp"
#include "support/redis/server.hpp"
#include "support/reserved_port.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <string>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::client_params;
using scalekit::redis::command;
using support::redis::scripted_server;
using support::redis::wire_array;

// Sentinels that are wrong, and servers that are not what they should be.

TEST_CASE("nonsense of a sentinel is passed over, and told where nobody else says more") {
  support::redis::server master;
  for (const std::string& nonsense :
       {std::string("*2\r\n$9\r\n127.0.0.1\r\n$5\r\n99999\r\n"), std::string(":1\r\n"),
        std::string("*0\r\n"), std::string("HTTP/1.1 400 secret\r\n\r\n"),
        std::string("-ERR no\r\n"), wire_array({"", "6379"}), wire_array({"a b", "6379"})}) {
    INFO(nonsense);
    const scripted_server liar(says([&] { return nonsense; }));
    const scripted_server good(says_port(master.port()));

    auto c = client::open(url_of({liar.port(), good.port()}), {.timeout = 30s, .reconnect = soon});
    c.call<done>(command("SET", "k", "v"));
    CHECK(c.async_call<std::string>(command("GET", "k"), asio::use_future).get() == "v");

    auto alone = client::open(url_of({liar.port()}), {.acquire_timeout = 1s, .reconnect = soon});
    for (const auto& e : {failure_of([&] { return alone.call<done>(command("PING")); }),
                          failure_of(alone.async_call<done>(command("PING"), asio::use_future))}) {
      CHECK(e.code() == errc::unavailable);
      CHECK(support::contains(e.what(), "no sentinel says where the master"));
      CHECK(std::string(e.what()).find("secret") == std::string::npos);
    }
  }
}

TEST_CASE("a replica gets no call, whoever says that it is the master") {
  support::redis::server master, replica;
  replica.ask({"REPLICAOF", "127.0.0.1", std::to_string(master.port())});
  const scripted_server liar(says_port(replica.port()));
  const scripted_server good(says_port(master.port()));
  support::event_log log;

  SUBCASE("another sentinel knows better") {
    auto c = client::open(url_of({liar.port(), good.port()}),
                          {.timeout = 30s, .reconnect = soon, .log = log.sink()});
    CHECK(c.call<int>(command("INCR", "n")) == 1);
    CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 2);
    CHECK(c.statistics().failovers == 0);
  }
  SUBCASE("nobody knows better") {
    auto c = client::open(url_of({liar.port()}),
                          {.acquire_timeout = 1s, .reconnect = soon, .log = log.sink()});
    for (const auto& e : {failure_of([&] { return c.call<std::string>(command("GET", "k")); }),
                          failure_of(c.async_call<done>(command("GET", "k"), asio::use_future))}) {
      CHECK(e.code() == errc::unavailable);
      CHECK(support::contains(e.what(),
                              "is 127.0.0.1:" + std::to_string(replica.port()) +
                                  ", says the sentinel 127.0.0.1:" + std::to_string(liar.port()) +
                                  ": it is no master but a replica"));
    }
    CHECK(replica.ask({"INFO", "commandstats"}).find("cmdstat_get:") == std::string::npos);
  }
  SUBCASE("it is made one while nobody is connected") {
    auto c = client::open(url_of({liar.port()}),
                          {.timeout = 30s, .acquire_timeout = 20s, .reconnect = soon});
    auto waiting = c.async_call<int>(command("INCR", "n"), asio::use_future);
    REQUIRE(support::wait_until([&] { return c.statistics().dial_failures > 1; }));
    replica.ask({"REPLICAOF", "NO", "ONE"});
    CHECK(waiting.get() == 1);
  }
}

TEST_CASE("a sentinel without a quorum is believed last, and the error says so") {
  const support::reserved_port nobody;
  support::redis::server master, cut_off;
  const std::string no_quorum = "-NOQUORUM 1 usable Sentinels.\r\n";
  const scripted_server lonely(says_port(cut_off.port(), no_quorum));
  const scripted_server good(says_port(master.port()));

  auto c = client::open(url_of({lonely.port(), good.port()}));
  CHECK(c.call<int>(command("INCR", "n")) == 1);
  CHECK(master.ask({"GET", "n"}) == "1");

  const scripted_server useless(says_port(nobody.number(), no_quorum));
  auto hopeless =
      client::open(url_of({useless.port()}), {.acquire_timeout = 1s, .reconnect = soon});
  const auto e = failure_of(hopeless.async_call<done>(command("PING"), asio::use_future));
  CHECK(e.code() == errc::unavailable);
  CHECK(support::contains(e.what(), "which has no quorum (NOQUORUM 1 usable Sentinels.)"));
  CHECK(support::contains(e.what(), "Connection refused"));
}

TEST_CASE("false news costs the connection and nothing else") {
  support::redis::server master;
  const support::reserved_port nobody;
  scripted_server gossip(says_port(master.port()));
  support::event_log log;
  auto c =
      client::open(url_of({gossip.port()}), {.timeout = 30s, .reconnect = soon, .log = log.sink()});
  CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 1);
  CHECK(c.call<int>(command("INCR", "n")) == 2);

  const auto port = std::to_string(nobody.number());
  gossip.say(wire_array({"message", "+switch-master", "shop 127.0.0.1 1 127.0.0.1 " + port}));
  REQUIRE(support::wait_until([&] { return log.has("redis.master_doubted"); }));

  CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 3);
  CHECK(c.call<int>(command("INCR", "n")) == 4);
  CHECK(c.statistics().failovers == 0);
  CHECK(c.statistics().in_doubt == 0);
}

TEST_CASE("news that nobody understands, or of another service, changes nothing") {
  support::redis::server master;
  scripted_server gossip(says_port(master.port()));
  support::event_log log;
  auto c = client::open(url_of({gossip.port()}), {.timeout = 30s, .log = log.sink()});
  c.async_call<done>(command("PING"), asio::use_future).get();

  for (const std::string payload : {"other 127.0.0.1 1 127.0.0.1 2", "shop", "", "shop a 1 b x"}) {
    gossip.say(wire_array({"message", "+switch-master", payload}));
  }
  gossip.say(":1\r\n");
  gossip.say("*-1\r\n");
  gossip.say("nonsense\r\n");
  REQUIRE(support::wait_until([&] { return log.has("redis.sentinel_lost"); }));

  CHECK_FALSE(log.has("redis.master_doubted"));
  CHECK(c.statistics().dials == 1);
}

TEST_CASE("writes that a new replica refuses are repeated a few times, then told as refused") {
  std::atomic<int> refused{0};
  scripted_server stubborn([&](const scripted_server::words& w) -> std::string {
    if (w[0] == "ROLE") return "*1\r\n$6\r\nmaster\r\n";
    if (w[0] == "PING") return "+PONG\r\n";
    if (w[0] == "GET") return "$1\r\nv\r\n";
    if (w[0] != "INCR") return "+OK\r\n";
    ++refused;
    return "-READONLY You can't write against a read only replica.\r\n";
  });
  const scripted_server sentinel(says_port(stubborn.port()));
  auto c = client::open(url_of({sentinel.port()}),
                        {.timeout = 30s, .reconnect = soon, .max_attempts = 3});

  const auto async = failure_of(c.async_call<int>(command("INCR", "n"), asio::use_future));
  CHECK(async.code() == errc::read_only);
  CHECK(refused == 3);
  CHECK(failure_of([&] { return c.call<int>(command("INCR", "n")); }).code() == errc::read_only);
  CHECK(c.call<std::string>(command("GET", "k")) == "v");
  CHECK(c.statistics().in_doubt == 0);
}

TEST_CASE("deadlines hold while sentinels and servers say nothing") {
  const scripted_server silent([](const scripted_server::words&) { return std::string(); });
  const scripted_server good(says_port(silent.port()));
  for (const auto& url : {url_of({silent.port()}), url_of({silent.port(), good.port()})}) {
    auto c = client::open(url, {.acquire_timeout = 30s, .connect_timeout = 200ms});
    const auto since = std::chrono::steady_clock::now();
    for (const auto& e :
         {failure_of([&] { return c.call<done>(command("PING"), {.timeout = 300ms}); }),
          failure_of(c.async_call<done>(command("PING"), {.timeout = 300ms}, asio::use_future))}) {
      CHECK((e.code() == errc::unavailable || e.code() == errc::acquire_timeout));
    }
    CHECK(std::chrono::steady_clock::now() - since < 10s);
  }
}
