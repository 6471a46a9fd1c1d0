#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <exception>
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;

TEST_CASE("a caller that stops is told at once, and its answer goes to nobody") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {.timeout = 60s, .silence_timeout = 60s}, host.execution());
  c.async_call<done>(command("PING"), asio::use_future).get();
  server.freeze();
  std::stop_source stop;
  auto stopped = c.async_call<std::string>(command("ECHO", "stopped"), {.stop = stop.get_token()},
                                           asio::use_future);
  auto after = c.async_call<std::string>(command("ECHO", "after"), asio::use_future);
  REQUIRE(support::wait_until([&] { return c.statistics().shared.in_flight == 2; }));

  stop.request_stop();

  const auto e = failure_of(std::move(stopped));
  CHECK(e.code() == errc::cancelled);
  CHECK(e.diag().client_message == "ECHO: cancelled by its caller after it was sent");
  server.thaw();
  CHECK(after.get() == "after");
  CHECK(c.statistics().cancelled == 1);
  CHECK(support::wait_until([&] { return c.statistics().shared.in_flight == 0; }));
}

TEST_CASE("a cancellation slot does the same") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {.timeout = 60s, .silence_timeout = 60s}, host.execution());
  c.async_call<done>(command("PING"), asio::use_future).get();
  server.freeze();
  asio::cancellation_signal signal;
  std::promise<std::exception_ptr> ended;

  host.call([&] {
    c.async_call<std::string>(
        command("ECHO", "x"),
        asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, std::string) {
          ended.set_value(std::move(e));
        }));
  });
  host.call([&] { signal.emit(asio::cancellation_type::total); });

  CHECK(scalekit::to_error(ended.get_future().get()).code() == errc::cancelled);
  server.thaw();
  CHECK(c.async_call<std::string>(command("ECHO", "y"), asio::use_future).get() == "y");
}

TEST_CASE("a token that was stopped before sends nothing") {
  support::redis::server server;
  auto c = client::open(server.url());
  std::stop_source stop;
  stop.request_stop();

  CHECK(failure_of([&] {
          return c.call<done>(command("SET", "k", "v"), {.stop = stop.get_token()});
        }).code() == errc::cancelled);
  CHECK(failure_of(c.async_call<done>(command("SET", "k", "v"), {.stop = stop.get_token()},
                                      asio::use_future))
            .code() == errc::cancelled);
  CHECK(server.ask({"DBSIZE"}) == "0");
}

TEST_CASE("a blocking caller that stops is told at once, on either kind of connection") {
  support::redis::server server;
  for (const std::size_t direct : {std::size_t{2}, std::size_t{0}}) {
    INFO(direct);
    auto c = client::open(server.url(),
                          {.timeout = 60s, .silence_timeout = 60s, .direct_connections = direct});
    c.call<done>(command("PING"));
    server.freeze();
    std::stop_source stop;
    auto stopped = std::async(std::launch::async, [&] {
      return c.call<std::string>(command("ECHO", "stopped"), {.stop = stop.get_token()});
    });
    REQUIRE(support::wait_until([&] {
      const auto s = c.statistics();
      return s.direct_busy + s.shared.in_flight == 1;
    }));

    stop.request_stop();

    CHECK(failure_of(std::move(stopped)).code() == errc::cancelled);
    server.thaw();
    for (int i = 0; i < 3; ++i) {
      CHECK(c.call<std::string>(command("ECHO", std::to_string(i))) == std::to_string(i));
    }
  }
}

TEST_CASE("what waits for a connection can be stopped too") {
  const support::reserved_port nobody;
  auto c = client::open("redis://127.0.0.1:" + std::to_string(nobody.number()),
                        {.timeout = 60s, .acquire_timeout = 60s});
  std::stop_source stop;
  std::vector<std::future<done>> pending;
  for (int i = 0; i < 300; ++i) {
    pending.push_back(
        c.async_call<done>(command("PING"), {.stop = stop.get_token()}, asio::use_future));
  }

  stop.request_stop();

  for (auto& each : pending) CHECK(failure_of(std::move(each)).code() == errc::cancelled);
}
