#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;

// How much may wait.

TEST_CASE("calls beyond the bound are turned away at once, the others served") {
  support::redis::server server;
  loop host;
  auto c = client::open(
      server.url(), {.timeout = 60s, .silence_timeout = 60s, .max_in_flight = 4, .max_backlog = 6},
      host.execution());
  c.async_call<done>(command("PING"), asio::use_future).get();
  server.freeze();
  std::vector<std::future<std::string>> pending;
  for (int i = 0; i < 10; ++i) {
    pending.push_back(
        c.async_call<std::string>(command("ECHO", std::to_string(i)), asio::use_future));
  }

  const auto e = failure_of(c.async_call<std::string>(command("ECHO", "x"), asio::use_future));

  CHECK(e.code() == errc::shed);
  CHECK(e.diag().client_message.find("the limits are 10 and 64 MiB") != std::string::npos);
  REQUIRE(support::wait_until([&] { return c.statistics().shared.in_flight == 4; }));
  CHECK(c.statistics().shared.waiting == 6);
  CHECK(c.statistics().shed == 1);
  server.thaw();
  for (int i = 0; i < 10; ++i)
    CHECK(pending[static_cast<std::size_t>(i)].get() == std::to_string(i));
  CHECK(c.statistics().shared.bytes == 0);
}

TEST_CASE("bytes beyond the bound are turned away as well") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(),
                        {.timeout = 60s,
                         .silence_timeout = 60s,
                         .max_backlog_bytes = 64 << 10,
                         .large_bytes = 1 << 20},
                        host.execution());
  c.async_call<done>(command("PING"), asio::use_future).get();
  server.freeze();
  auto first =
      c.async_call<std::string>(command("ECHO", std::string(60'000, 'a')), asio::use_future);

  CHECK(failure_of(
            c.async_call<std::string>(command("ECHO", std::string(10'000, 'b')), asio::use_future))
            .code() == errc::shed);

  server.thaw();
  CHECK(first.get().size() == 60'000);
  // One that is larger than the bound by itself goes when nothing else is there.
  CHECK(c.async_call<std::string>(command("ECHO", std::string(100'000, 'c')), asio::use_future)
            .get()
            .size() == 100'000);
}

TEST_CASE("a server that does not read is written to no further") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(),
                        {.timeout = 60s,
                         .silence_timeout = 60s,
                         .max_in_flight = 100'000,
                         .max_backlog_bytes = 256 << 20},
                        host.execution());
  c.async_call<done>(command("PING"), asio::use_future).get();
  server.freeze();
  std::vector<std::future<int>> pending;
  const std::string value(50'000, 'x');
  for (int i = 0; i < 1000; ++i) {
    pending.push_back(c.async_call<int>(command("APPEND", "k", value), asio::use_future));
  }
  REQUIRE(support::wait_until([&] { return c.statistics().shared.in_flight > 0; }));
  CHECK(c.statistics().shared.in_flight < 1000);

  server.thaw();

  int length = 0;
  for (auto& each : pending) CHECK(each.get() == (length += 50'000));
}
