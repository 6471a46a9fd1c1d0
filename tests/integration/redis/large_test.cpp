#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <future>
#include <optional>
#include <string>
#include <vector>

using namespace redis_tests;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;

TEST_CASE("large values go apart, and come back whole") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {}, host.execution());
  std::string value(5 << 20, 'x');
  for (std::size_t i = 0; i < value.size(); i += 997) value[i] = static_cast<char>(i);

  auto set = c.async_call<done>(command("SET", "k", value), asio::use_future);
  auto small = c.async_call<std::string>(command("ECHO", "x"), asio::use_future);
  set.get();
  CHECK(small.get() == "x");

  CHECK(c.statistics().large.connected == 1);
  CHECK(c.async_call<std::string>(command("GET", "k"), {.large_reply = true}, asio::use_future)
            .get() == value);
  CHECK(c.call<std::string>(command("GET", "k")) == value);
}

TEST_CASE("several at once are all right too") {
  support::redis::server server;
  auto c = client::open(server.url());
  std::vector<std::future<done>> pending;
  for (int i = 0; i < 20; ++i) {
    pending.push_back(
        c.async_call<done>(command("SET", "k" + std::to_string(i),
                                   std::string(300'000 + static_cast<std::size_t>(i), 'a')),
                           asio::use_future));
  }
  for (auto& each : pending) each.get();

  for (int i = 0; i < 20; ++i) {
    CHECK(c.call<int>(command("STRLEN", "k" + std::to_string(i))) == 300'000 + i);
  }
}

TEST_CASE("a command that is too large is not sent") {
  support::redis::server server;
  auto c = client::open(server.url(), {.max_request_bytes = 1024});

  const auto e =
      failure_of([&] { return c.call<done>(command("SET", "k", std::string(2000, 'x'))); });

  CHECK(e.code() == errc::too_large);
  CHECK(e.diag().client_message.find("max_request_bytes is 1 KiB") != std::string::npos);
  CHECK(server.ask({"DBSIZE"}) == "0");
}

TEST_CASE("a reply that is too large costs its connection, and nobody else his answer") {
  support::redis::server server;
  server.ask({"SETRANGE", "huge", "400000000", "x"});
  loop host;
  auto c = client::open(server.url(), {.max_reply_bytes = 1 << 20}, host.execution());

  auto together = host.call([&] {
    std::vector<std::future<std::string>> all;
    for (int i = 0; i < 10; ++i) {
      all.push_back(
          c.async_call<std::string>(command("GET", i == 5 ? "huge" : "absent"), asio::use_future));
    }
    return all;
  });
  for (int i = 0; i < 10; ++i) {
    const auto e = failure_of(std::move(together[static_cast<std::size_t>(i)]));
    CHECK(e.code() == (i == 5 ? errc::too_large : errc::not_found));
  }
  const auto blocking = failure_of([&] { return c.call<std::string>(command("GET", "huge")); });
  CHECK(blocking.code() == errc::too_large);
  CHECK(blocking.diag().client_message.find("more than 1 MiB") != std::string::npos);
  CHECK(c.call<std::string>(command("ECHO", "x")) == "x");
}
