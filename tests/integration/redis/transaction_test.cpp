#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

using namespace redis_tests;
using scalekit::done;
using scalekit::errc;
using scalekit::result;
using scalekit::redis::client;
using scalekit::redis::command;
using scalekit::redis::transaction;

TEST_CASE("a transaction answers with what each of its commands did") {
  support::redis::server server;
  auto c = client::open(server.url());
  using answer = std::tuple<std::int64_t, std::optional<std::string>, bool>;

  CHECK(c.call<answer>(transaction(command("INCR", "n"), command("GET", "k"),
                                   command("SET", "k", "v"))) == answer{1, std::nullopt, true});
  CHECK(c.async_call<answer>(
             transaction(command("INCR", "n"), command("GET", "k"), command("SET", "k", "w")),
             asio::use_future)
            .get() == answer{2, "v", true});
}

TEST_CASE("what is refused before it runs stops all of it, what fails later only itself") {
  support::redis::server server;
  auto c = client::open(server.url());
  server.ask({"SET", "text", "x"});

  const auto refused = failure_of([&] {
    return c.call<done>(
        transaction(command("SET", "a", 1), command("NOSUCH"), command("GET", "a")));
  });
  CHECK(refused.code() == errc::invalid_statement);
  CHECK(server.ask({"EXISTS", "a"}) == "0");

  const auto [pushed, set] = c.call<std::tuple<result<int>, bool>>(
      transaction(command("RPUSH", "text", "x"), command("SET", "a", 1)));
  CHECK(pushed.error().diag().backend_code == "WRONGTYPE");
  CHECK(set);
  CHECK(server.ask({"GET", "a"}) == "1");
  CHECK(c.call<std::string>(command("ECHO", "in step")) == "in step");
}

namespace {

asio::awaitable<int> swap_values(client c, int times) {
  int torn = 0;
  for (int i = 0; i < times; ++i) {
    co_await c.async_call<done>(transaction(command("SET", "a", i), command("SET", "b", i)),
                                asio::use_awaitable);
    const auto [a, b] = co_await c.async_call<std::tuple<std::optional<int>, std::optional<int>>>(
        transaction(command("GET", "a"), command("GET", "b")), asio::use_awaitable);
    torn += a != b;
    co_await c.async_call<done>(command("ECHO", "between"), asio::use_awaitable);
  }
  co_return torn;
}

}  // namespace

TEST_CASE("nobody sees a half of one") {
  support::redis::server server;
  loop host;
  auto c = client::open(server.url(), {}, host.execution());

  std::vector<std::future<int>> ends;
  for (int i = 0; i < 16; ++i) {
    ends.push_back(asio::co_spawn(host.io(), swap_values(c, 50), asio::use_future));
  }

  for (auto& each : ends) CHECK(each.get() == 0);
}
