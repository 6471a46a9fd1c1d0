#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
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

// Commands that wait in the server.

namespace {

using popped = std::optional<std::pair<std::string, std::string>>;

/// Comes to know of so many clients that wait in it.
bool has_waiting(const support::redis::server& server, int clients) {
  const auto wanted = "blocked_clients:" + std::to_string(clients) + "\r";
  return support::wait_until([&] {
    return server.ask({"INFO", "clients"}).find(wanted) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("who waits in the server holds up nobody") {
  support::redis::server server;
  auto c = client::open(server.url());

  auto waiting = c.async_call<popped>(command("BLPOP", "q", 0), {.timeout = 60s}, asio::use_future);
  auto other = c.async_call<popped>(command("BLPOP", "r", 0), {.timeout = 60s}, asio::use_future);
  REQUIRE(support::wait_until([&] { return c.statistics().blocking.in_flight == 2; }));
  CHECK(c.async_call<std::string>(command("ECHO", "x"), asio::use_future).get() == "x");
  CHECK(c.call<int>(command("RPUSH", "q", "1")) == 1);
  CHECK(c.call<int>(command("RPUSH", "r", "2")) == 1);

  CHECK(waiting.get() == popped({"q", "1"}));
  CHECK(other.get() == popped({"r", "2"}));
  // The connections are used again.
  CHECK(c.call<popped>(command("BLPOP", "s", 0.01)) == std::nullopt);
  CHECK(c.statistics().blocking.connected == 2);
}

TEST_CASE("who stops waiting is gone from the server as well") {
  support::redis::server server;
  auto c = client::open(server.url());
  std::stop_source stop;

  auto waiting = c.async_call<popped>(command("BLPOP", "q", 0),
                                      {.timeout = 60s, .stop = stop.get_token()}, asio::use_future);
  REQUIRE(has_waiting(server, 1));
  stop.request_stop();

  CHECK(failure_of(std::move(waiting)).code() == errc::cancelled);
  CHECK(has_waiting(server, 0));
  c.call<done>(command("RPUSH", "q", "1"));
  CHECK(c.call<popped>(command("BLPOP", "q", 1)) == popped({"q", "1"}));
}

TEST_CASE("its deadline ends a wait that the server would not") {
  support::redis::server server;
  auto c = client::open(server.url());

  const auto e =
      failure_of([&] { return c.call<popped>(command("BLPOP", "q", 0), {.timeout = 100ms}); });

  // It may have taken an element along, and does if one comes before the server knows.
  CHECK(outcome_unknown(e));
  CHECK(has_waiting(server, 0));
  c.call<done>(command("RPUSH", "q", "1"));
  CHECK(c.call<popped>(command("BLPOP", "q", 1)) == popped({"q", "1"}));
}

TEST_CASE("there are only so many") {
  support::redis::server server;
  auto c = client::open(server.url(), {.max_blocking = 2});
  std::vector<std::future<popped>> waiting;
  for (int i = 0; i < 2; ++i) {
    waiting.push_back(
        c.async_call<popped>(command("BLPOP", "q", 0), {.timeout = 60s}, asio::use_future));
  }

  const auto e = failure_of([&] { return c.call<popped>(command("BLPOP", "q", 0)); });

  CHECK(e.code() == errc::shed);
  CHECK(e.diag().client_message.find("max_blocking") != std::string::npos);
  c.call<done>(command("RPUSH", "q", "1", "2"));
  for (auto& each : waiting) CHECK(each.get().has_value());
}
