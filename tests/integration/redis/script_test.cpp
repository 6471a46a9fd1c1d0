#include "failure.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <cstdint>
#include <future>
#include <string>
#include <tuple>
#include <vector>

using namespace redis_tests;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;
using scalekit::redis::script;
namespace asio = boost::asio;

TEST_CASE("a script is sent once, and again to a server that has lost it, within the same call") {
  support::redis::server server;
  auto c = client::open(server.url());
  const script add("return {KEYS[1], redis.call('INCRBY', KEYS[1], ARGV[1])}");
  using answer = std::tuple<std::string, std::int64_t>;

  CHECK(c.call<answer>(add({"n"}, 5)) == answer{"n", 5});
  CHECK(c.call<answer>(add({"n"}, 5)) == answer{"n", 10});
  CHECK(c.statistics().scripts_sent == 1);
  server.ask({"SCRIPT", "FLUSH"});
  CHECK(c.async_call<answer>(add({"n"}, 1), asio::use_future).get() == answer{"n", 11});
  CHECK(c.statistics().scripts_sent == 2);
}

TEST_CASE("several callers may find it missing at once") {
  support::redis::server server;
  auto c = client::open(server.url());
  const script add("return redis.call('INCR', KEYS[1])");

  std::vector<std::future<int>> pending;
  for (int i = 0; i < 50; ++i) {
    pending.push_back(c.async_call<int>(add({"n"}), asio::use_future));
    pending.push_back(c.async_call<int>(command("INCR", "m"), asio::use_future));
  }
  for (auto& each : pending) each.get();

  CHECK(server.ask({"GET", "n"}) == "50");
  CHECK(server.ask({"GET", "m"}) == "50");
}

TEST_CASE("what goes wrong in a script is the server's error") {
  support::redis::server server;
  auto c = client::open(server.url());

  const auto e = failure_of([&] { return c.call<int>(script("return redis.call('NOSUCH')")({})); });

  CHECK(e.code() == errc::invalid_statement);
  CHECK(c.call<std::string>(command("ECHO", "x")) == "x");
}
