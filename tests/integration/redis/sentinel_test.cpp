#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/event_log.hpp"
#include "support/redis/sentinels.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <stdexcept>
#include <string>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::client_params;
using scalekit::redis::command;

// Sentinels that are well, or some of them; the master stays.

namespace {

std::string local(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

}  // namespace

TEST_CASE("the master is found by its service's name, by blocking and asynchronous callers") {
  support::redis::sentinels group({.password = "geheim", .sentinel_password = "wache"});
  support::event_log log;
  loop host;
  auto c = client::open(group.url(), {.log = log.sink()}, host.execution());

  CHECK(c.call<int>(command("INCR", "n")) == 1);
  CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 2);

  const auto s = c.statistics();
  CHECK(s.master == local(group.data(0).port()));
  CHECK(s.failovers == 0);
  CHECK(s.server.starts_with("shop@127.0.0.1:"));
  CHECK(s.dial_failures == 0);
  CHECK(log.find("redis.connected")->fields.at("server.port") ==
        std::to_string(group.data(0).port()));
  CHECK_FALSE(log.has("redis.master_doubted"));
}

TEST_CASE("sentinels that want a password, and what they say without the right one") {
  support::redis::sentinels group({.sentinel_password = "wache"});
  for (const std::string password : {"", "falsch"}) {
    INFO(password);
    auto url = group.url();
    url.replace(url.find("wache"), 5, password);
    auto c = client::open(url, {.acquire_timeout = 1s, .reconnect = soon});

    const auto e = failure_of(c.async_call<done>(command("PING"), asio::use_future));

    CHECK(e.code() == errc::unavailable);
    CHECK(support::contains(e.what(), "no sentinel says where the master of \"shop\" is"));
    CHECK(support::contains(e.what(), "login"));
    CHECK(std::string(e.what()).find("falsch") == std::string::npos);
  }
}

TEST_CASE("some sentinels are away, then all, then other ones") {
  support::redis::sentinels group;
  auto c = client::open(group.url(), {.timeout = 30s, .acquire_timeout = 1s, .reconnect = soon});

  SUBCASE("the first is dead before the first call") {
    group.sentinel(0).kill9();
    CHECK(c.call<int>(command("INCR", "n")) == 1);
    CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 2);
  }
  SUBCASE("the first stands still: it is waited for, for a part of the time to connect") {
    group.sentinel(0).freeze();
    auto hasty = client::open(group.url() + "&connect_timeout=800ms", {.timeout = 30s});
    CHECK(hasty.call<int>(command("INCR", "n")) == 1);
    CHECK(hasty.async_call<int>(command("INCR", "n"), asio::use_future).get() == 2);
    group.sentinel(0).thaw();
  }
  SUBCASE("one is left, which has no quorum: it is believed") {
    group.sentinel(0).kill9();
    group.sentinel(1).kill9();
    CHECK(c.call<int>(command("INCR", "n")) == 1);
  }
  SUBCASE("all die: connections go on, and only new ones cannot be made") {
    CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 1);
    CHECK(c.call<int>(command("INCR", "n")) == 2);
    for (std::size_t i = 0; i < group.count; ++i) group.sentinel(i).kill9();

    for (int i = 3; i < 20; i += 2) {
      CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == i);
      CHECK(c.call<int>(command("INCR", "n")) == i + 1);
    }
    group.data(0).ask({"CLIENT", "KILL", "TYPE", "normal"});
    const auto e = failure_of(c.async_call<int>(command("EXISTS", "n"), asio::use_future));
    CHECK(e.code() == errc::unavailable);
    CHECK(support::contains(e.what(), "Connection refused"));

    group.sentinel(2).start();
    CHECK(support::wait_until([&] {
      try {
        return c.call<int>(command("EXISTS", "n")) == 1;
      } catch (const scalekit::error&) {
        return false;
      }
    }));
  }
}

TEST_CASE("a service that no sentinel knows is told at once, and is no missing key") {
  support::redis::sentinels group({.replicas = 0});
  auto c = client::open(group.url_for("nothing"), {.timeout = 30s, .acquire_timeout = 30s});

  for (const auto& e :
       {failure_of([&] { return c.call<std::string>(command("GET", "k")); }),
        failure_of(c.async_call<std::string>(command("GET", "k"), asio::use_future))}) {
    CHECK(e.code() == errc::invalid_argument);
    CHECK(support::contains(e.what(), "no sentinel knows the service \"nothing\""));
    CHECK(support::contains(e.what(), local(group.sentinel(2).port())));
  }
}

TEST_CASE("names are resolved, of the sentinels too") {
  support::redis::sentinels group({.replicas = 0});
  auto url = group.url();
  for (auto at = url.find("127.0.0.1"); at != url.npos; at = url.find("127.0.0.1")) {
    url.replace(at, 9, "localhost");
  }
  auto c = client::open(url);

  CHECK(c.call<int>(command("INCR", "n")) == 1);
  CHECK(c.async_call<int>(command("INCR", "n"), asio::use_future).get() == 2);
}

TEST_CASE("a client by sentinels keeps no loop from ending, and can end in its own handler") {
  support::redis::sentinels group({.replicas = 0});
  asio::io_context io;
  auto c = client::open(group.url(), {}, scalekit::execution(io.get_executor()));
  int answers = 0;
  for (int i = 0; i < 10; ++i) {
    c.async_call<int>(command("INCR", "n"), [&](std::exception_ptr, int) { ++answers; });
  }
  io.run();
  CHECK(answers == 10);

  std::promise<int> last;
  {
    auto alone = client::open(group.url());
    alone.async_call<int>(command("INCR", "n"),
                          [&](std::exception_ptr, int n) { last.set_value(n); });
  }
  CHECK(last.get_future().get() == 11);
}

TEST_CASE("a client that was never used, or is closed while it searches, ends quietly") {
  const support::reserved_port nobody;
  support::redis::sentinels group({.replicas = 0});
  client::open(group.url());
  group.sentinel(0).freeze();
  auto c = client::open(group.url(), {.timeout = 60s, .acquire_timeout = 60s});
  auto pending = c.async_call<done>(command("PING"), asio::use_future);

  c.close(0ms);

  CHECK(failure_of(std::move(pending)).code() == errc::closed);
  group.sentinel(0).thaw();
}
