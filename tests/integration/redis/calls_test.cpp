#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using namespace std::string_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;

TEST_CASE("blocking calls read and write values of any bytes") {
  support::redis::server server;
  auto c = client::open(server.url());
  const auto key = "a key\r\n$5\r\n\0*:"s;
  const auto value = "\0\xff\r\n value"s;

  CHECK(c.call<bool>(command("SET", key, value)));

  CHECK(c.call<std::optional<std::string>>(command("GET", key)) == value);
  CHECK(c.call<std::optional<std::string>>(command("GET", "absent")) == std::nullopt);
  CHECK(c.call<std::int64_t>(command("INCRBY", "n", 5)) == 5);
  CHECK(c.call<int>(command("GET", "n")) == 5);
  CHECK_FALSE(c.call<bool>(command("SET", key, "other", "NX")));
  const std::map<std::string, std::string> fields{{"x", "1"}, {"y", ""}};
  CHECK(c.call<int>(command("HSET", "h", fields)) == 2);
  CHECK(c.call<std::map<std::string, std::string>>(command("HGETALL", "h")) == fields);
  CHECK(c.call<std::vector<std::optional<std::string>>>(
            command("MGET", std::vector<std::string>{"n", "absent"})) ==
        std::vector<std::optional<std::string>>{"5", std::nullopt});
  const std::string long_key(10 * 1024, 'k');
  c.call<done>(command("SET", long_key, "v"));
  CHECK(c.call<std::string>(command("GET", long_key)) == "v");
}

TEST_CASE("what the server refuses is typed, names command and server, and shows no value") {
  support::redis::server server;
  auto c = client::open(server.url());
  c.call<done>(command("SET", "text", "secret"));

  const auto wrong_type = failure_of([&] { return c.call<int>(command("LLEN", "text")); });
  CHECK(wrong_type.code() == errc::invalid_argument);
  CHECK(wrong_type.diag().backend_code == "WRONGTYPE");
  CHECK(wrong_type.diag().origin == "127.0.0.1:" + std::to_string(server.port()));
  CHECK(wrong_type.diag().client_message == "LLEN was refused");

  const auto unknown = failure_of([&] { return c.call<int>(command("NOSUCH", "secret")); });
  CHECK(unknown.code() == errc::invalid_statement);
  CHECK(std::string(unknown.what()).find("secret") == std::string::npos);

  const auto mismatch = failure_of([&] { return c.call<int>(command("GET", "text")); });
  CHECK(mismatch.code() == errc::column_mismatch);
  CHECK(mismatch.diag().client_message == "GET: the reply is text where int32 was asked for");
  CHECK(mismatch.diag().origin == "127.0.0.1:" + std::to_string(server.port()));

  const auto absent = failure_of([&] { return c.call<std::string>(command("GET", "absent")); });
  CHECK(absent.code() == errc::not_found);
  CHECK(c.statistics().refused == 2);
}

TEST_CASE("a server that is full, or only a replica, refuses writes and serves reads") {
  support::redis::server server;
  auto c = client::open(server.url());
  c.call<done>(command("SET", "k", "v"));

  server.ask({"CONFIG", "SET", "maxmemory", "1"});
  CHECK(failure_of([&] { return c.call<done>(command("SET", "l", "v")); }).code() ==
        errc::disk_full);
  CHECK(c.call<std::string>(command("GET", "k")) == "v");

  server.ask({"CONFIG", "SET", "maxmemory", "0"});
  server.ask({"REPLICAOF", "127.0.0.1", "1"});
  CHECK(failure_of([&] { return c.call<done>(command("SET", "l", "v")); }).code() ==
        errc::read_only);
  CHECK(c.call<std::string>(command("GET", "k")) == "v");
}

TEST_CASE("by a unix socket it is the same") {
  support::redis::server server;
  auto c = client::open(server.socket_url());

  c.call<done>(command("SET", "k", "v"));

  CHECK(c.call<std::string>(command("GET", "k")) == "v");
  CHECK(c.statistics().server == server.socket_path().string());
}

TEST_CASE("a name is resolved, in calls of both kinds") {
  support::redis::server server;
  loop host;
  auto c = client::open("redis://localhost:" + std::to_string(server.port()), {}, host.execution());

  CHECK(c.call<std::string>(command("ECHO", "a")) == "a");
  CHECK(c.async_call<std::string>(command("ECHO", "b"), asio::use_future).get() == "b");
  auto nowhere = client::open("redis://no-such-host.invalid", {.acquire_timeout = 200ms});
  const auto e = failure_of([&] { return nowhere.call<std::string>(command("GET", "k")); });
  CHECK(e.code() == errc::unavailable);
  CHECK(e.diag().client_message.find("its name was not resolved") != std::string::npos);
}

TEST_CASE("asynchronous calls complete with any token, on one connection") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {}, host.execution());

  CHECK(c.async_call<bool>(command("SET", "k", "v"), asio::use_future).get());
  auto by_result =
      c.async_call<std::int64_t>(command("GET", "k"), scalekit::as_result(asio::use_future)).get();
  CHECK(by_result.error().code() == errc::column_mismatch);
  std::promise<std::string> heard;
  c.async_call<std::string>(command("GET", "k"), [&](std::exception_ptr e, std::string v) {
    CHECK_FALSE(e);
    heard.set_value(std::move(v));
  });
  CHECK(heard.get_future().get() == "v");
  CHECK(c.statistics().shared.connected == 1);
  CHECK(c.statistics().dials == 1);
}

namespace {

asio::awaitable<int> count_up(client c, int id, int times) {
  const auto key = "counter:" + std::to_string(id);
  int last = 0;
  for (int i = 0; i < times; ++i) {
    last = co_await c.async_call<int>(command("INCR", key), asio::use_awaitable);
    if (last != i + 1) co_return -1;
    const auto echo = co_await c.async_call<std::string>(
        command("ECHO", std::to_string(id * times + i)), asio::use_awaitable);
    if (echo != std::to_string(id * times + i)) co_return -2;
  }
  co_return last;
}

}  // namespace

TEST_CASE("what many coroutines ask goes out together") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {}, host.execution());
  constexpr int coroutines = 64, times = 50;

  std::vector<std::future<int>> ends;
  for (int i = 0; i < coroutines; ++i) {
    ends.push_back(asio::co_spawn(host.io(), count_up(c, i, times), asio::use_future));
  }
  for (auto& each : ends) CHECK(each.get() == times);

  const auto s = c.statistics();
  CHECK(s.calls == 2 * coroutines * times);
  CHECK(s.writes < s.calls / 4);
  CHECK(s.shared.connected == 1);
  CHECK(s.shared.in_flight == 0);
  CHECK(s.shared.bytes == 0);
}

TEST_CASE("few threads drive connections of their own, the others share") {
  support::redis::server server;
  auto c = client::open(server.url(), {.direct_connections = 2});
  constexpr int threads = 8, times = 200;

  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int t = 0; t < threads; ++t) {
    callers.emplace_back([&, t] {
      for (int i = 0; i < times; ++i) {
        const auto text = std::to_string(t) + ":" + std::to_string(i);
        if (c.call<std::string>(command("ECHO", text)) != text) ++wrong;
      }
    });
  }
  for (auto& each : callers) each.join();

  CHECK(wrong == 0);
  const auto s = c.statistics();
  CHECK(s.calls == threads * times);
  CHECK(s.direct <= 2);
  CHECK(s.direct_busy == 0);
  CHECK(s.direct_calls > 0);
  CHECK(s.failed == 0);
}

TEST_CASE("without connections of their own blocking callers share") {
  support::redis::server server;
  auto c = client::open(server.url(), {.direct_connections = 0});

  CHECK(c.call<std::string>(command("ECHO", "a")) == "a");

  CHECK(c.statistics().direct == 0);
  CHECK(c.statistics().shared.connected == 1);
}

TEST_CASE("a closed client says so") {
  support::redis::server server;
  auto c = client::open(server.url());
  c.call<done>(command("PING"));

  c.close();

  CHECK(failure_of([&] { return c.call<done>(command("PING")); }).code() == errc::closed);
  CHECK(failure_of(c.async_call<done>(command("PING"), asio::use_future)).code() == errc::closed);
  c.close();
}

TEST_CASE("a blocking call is no business of an I/O thread") {
  support::redis::server server;
  auto c = client::open(server.url());
  scalekit::io_thread_mark mark;

  CHECK(failure_of([&] { return c.call<done>(command("PING")); }).code() == errc::not_allowed);
}
