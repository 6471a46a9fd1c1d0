#include "loop.hpp"

#include "failure.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::redis::client;
using scalekit::redis::command;

// What a client does to the event loop that it was given.

TEST_CASE("a loop ends by itself once its calls have, though the client is there") {
  support::redis::server server;
  asio::io_context io;
  auto c = client::open(server.url(), {}, scalekit::execution(io.get_executor()));
  int answered = 0;
  for (int round = 1; round <= 3; ++round) {
    c.async_call<done>(command("PING"), [&](std::exception_ptr e, done) { answered += !e; });

    io.run();

    CHECK(answered == round);
    io.restart();
  }
  CHECK(c.statistics().dials == 1);
}

TEST_CASE("a thread that waits for a loop that nobody runs keeps its deadline") {
  support::redis::server server;
  asio::io_context io;
  auto c =
      client::open(server.url(), {.direct_connections = 0}, scalekit::execution(io.get_executor()));

  const auto read =
      failure_of([&] { return c.call<std::string>(command("GET", "k"), {.timeout = 20ms}); });
  const auto write =
      failure_of([&] { return c.call<int>(command("INCR", "n"), {.timeout = 20ms}); });

  CHECK(read.code() == scalekit::errc::execution_timeout);
  CHECK(read.diag().client_message.find("is held up") != std::string::npos);
  CHECK(outcome_unknown(write));
}

TEST_CASE("the client may go with its last call") {
  support::redis::server server;
  asio::io_context io;
  bool answered = false;
  {
    auto c = client::open(server.url(), {}, scalekit::execution(io.get_executor()));
    c.async_call<done>(command("PING"), [&](std::exception_ptr e, done) { answered = !e; });
  }
  io.run();
  CHECK(answered);
}

TEST_CASE("a client without a loop of the host's may go with its last call as well") {
  support::redis::server server;
  for (int i = 0; i < 20; ++i) {
    auto c = std::make_optional(client::open(server.url()));
    auto pending = c->async_call<std::string>(command("ECHO", "x"), asio::use_future);
    c.reset();
    CHECK(pending.get() == "x");
  }
}

TEST_CASE("a loop that goes in the middle of calls leaves nothing behind") {
  support::redis::server server;
  const auto alive = std::make_shared<int>(0);
  for (int turns = 0; turns < 12; ++turns) {
    asio::io_context io;
    auto c =
        std::make_optional(client::open(server.url(), {}, scalekit::execution(io.get_executor())));
    for (int i = 0; i < 10; ++i) {
      c->async_call<done>(command("PING"), [alive](std::exception_ptr, done) {});
    }
    for (int i = 0; i < turns; ++i) io.run_one();
    c.reset();
  }
  CHECK(alive.use_count() == 1);
}

namespace {

asio::awaitable<void> echo(client c, std::atomic<int>& right, int id) {
  for (int i = 0; i < 100; ++i) {
    const auto text = std::to_string(id) + ":" + std::to_string(i);
    if (co_await c.async_call<std::string>(command("ECHO", text), asio::use_awaitable) == text) {
      ++right;
    }
  }
}

}  // namespace

TEST_CASE("several threads may run the loop") {
  support::redis::server server;
  asio::thread_pool pool(3);
  auto c = client::open(server.url(), {}, scalekit::execution(pool.get_executor()));
  std::atomic<int> right{0};

  for (int id = 0; id < 16; ++id) {
    asio::co_spawn(pool, echo(c, right, id), asio::detached);
  }
  pool.join();

  CHECK(right == 1600);
}
