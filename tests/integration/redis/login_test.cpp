#include "failure.hpp"
#include "scalekit/redis.hpp"
#include "support/event_log.hpp"
#include "support/redis/server.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <string>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;
namespace asio = boost::asio;

TEST_CASE("who has the password is let in, by both ways") {
  support::redis::server server({.password = "geheim"});
  auto c = client::open(server.url());

  CHECK(c.call<std::string>(command("ECHO", "a")) == "a");
  CHECK(c.async_call<std::string>(command("ECHO", "b"), asio::use_future).get() == "b");
}

TEST_CASE("who has not is told at once, and the log does not hold the password") {
  support::redis::server server({.password = "geheim"});
  support::event_log log;
  for (const std::string login : {":falsch@", "", "nobody:falsch@"}) {
    INFO(login);
    auto c = client::open("redis://" + login + "127.0.0.1:" + std::to_string(server.port()),
                          {.timeout = 30s, .acquire_timeout = 30s, .log = log.sink()});

    const auto blocking = failure_of([&] { return c.call<done>(command("GET", "k")); });
    const auto async = failure_of(c.async_call<done>(command("GET", "k"), asio::use_future));

    for (const auto& e : {blocking, async}) {
      CHECK(e.code() == errc::unavailable);
      CHECK(std::string(e.what()).find("login") != std::string::npos);
      CHECK(std::string(e.what()).find("falsch") == std::string::npos);
    }
  }
  CHECK(log.has("redis.dial_failed"));
  CHECK(log.last("redis.dial_failed").find("falsch") == std::string::npos);
}

TEST_CASE("an ACL user may do what it may") {
  support::redis::server server;
  server.ask({"ACL", "SETUSER", "app", "on", ">geheim", "~shop:*", "+get", "+set", "+ping"});
  auto c = client::open("redis://app:geheim@127.0.0.1:" + std::to_string(server.port()));

  c.call<done>(command("SET", "shop:1", "v"));

  CHECK(c.call<std::string>(command("GET", "shop:1")) == "v");
  const auto refused = failure_of([&] { return c.call<done>(command("GET", "other")); });
  CHECK(refused.code() == errc::not_allowed);
  CHECK(refused.diag().backend_code == "NOPERM");
}

TEST_CASE("the database and the name hold on every connection") {
  support::redis::server server;
  auto c = client::open(server.url() + "/3?client_name=shop");

  c.call<done>(command("SET", "k", "v"));
  c.async_call<done>(command("SET", "l", "v"), asio::use_future).get();

  CHECK(server.ask({"DBSIZE"}) == "0");
  CHECK(server.ask({"INFO", "keyspace"}).find("db3:keys=2") != std::string::npos);
  CHECK(c.call<std::string>(command("CLIENT", "GETNAME")) == "shop");
  CHECK(c.async_call<std::string>(command("CLIENT", "GETNAME"), asio::use_future).get() == "shop");
  auto absent = client::open(server.url() + "/99", {.acquire_timeout = 30s});
  CHECK(failure_of([&] { return absent.call<done>(command("PING")); }).code() == errc::unavailable);
}
