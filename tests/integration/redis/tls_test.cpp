#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;

namespace {

std::string trusted(const std::string& url, const support::redis::server& by) {
  return url + "?tls.ca_file=" + by.ca_file().string();
}

}  // namespace

TEST_CASE("by TLS everything is the same") {
  support::redis::server server({.password = "geheim", .tls = true});
  loop host;
  auto c = client::open(trusted(server.url(), server), {}, host.execution());
  const std::string large(3 << 20, 'x');

  CHECK(c.call<std::string>(command("ECHO", "a")) == "a");
  std::vector<std::future<std::string>> pending;
  for (int i = 0; i < 500; ++i) {
    pending.push_back(
        c.async_call<std::string>(command("ECHO", std::to_string(i)), asio::use_future));
  }
  for (int i = 0; i < 500; ++i) {
    CHECK(pending[static_cast<std::size_t>(i)].get() == std::to_string(i));
  }
  c.async_call<done>(command("SET", "k", large), asio::use_future).get();
  CHECK(c.async_call<std::string>(command("GET", "k"), {.large_reply = true}, asio::use_future)
            .get() == large);
  CHECK(c.call<std::string>(command("GET", "k")) == large);
}

TEST_CASE("single bytes are all the same to TLS") {
  support::redis::server server({.tls = true});
  support::tcp_proxy proxy(server.port());
  proxy.set_to_client({.max_chunk = 1, .bytes_per_second = 50'000});
  loop host;
  auto c = client::open(trusted(server.url_at(proxy.port()), server),
                        {.timeout = 60s, .connect_timeout = 30s}, host.execution());

  CHECK(c.async_call<std::string>(command("ECHO", "a"), asio::use_future).get() == "a");
  CHECK(c.call<std::string>(command("ECHO", "b")) == "b");
}

TEST_CASE("a certificate that nobody vouches for, or that is another's, is refused") {
  support::redis::server server({.tls = true});
  const scalekit::redis::client_params soon{.acquire_timeout = 100ms};
  for (const auto& url : {server.url(), trusted(server.url(), server) + "&tls.server_name=other"}) {
    auto c = client::open(url, soon);
    for (const auto& e : {failure_of([&] { return c.call<done>(command("PING")); }),
                          failure_of(c.async_call<done>(command("PING"), asio::use_future))}) {
      CHECK(e.code() == errc::unavailable);
      CHECK(e.diag().client_message.find("its certificate was refused") != std::string::npos);
    }
  }
  auto careless = client::open(server.url() + "?tls.verify=false");
  CHECK(careless.call<std::string>(command("ECHO", "a")) == "a");
  CHECK_THROWS_AS(client::open(server.url() + "?tls.ca_file=/nowhere"), std::invalid_argument);
}

TEST_CASE("who speaks TLS to a server that does not is told, and the other way round") {
  support::redis::server plain;
  support::redis::server hidden({.tls = true});
  const scalekit::redis::client_params soon{.acquire_timeout = 300ms, .connect_timeout = 100ms};
  auto one = client::open("rediss://127.0.0.1:" + std::to_string(plain.port()), soon);
  auto other = client::open("redis://127.0.0.1:" + std::to_string(hidden.port()), soon);

  CHECK(failure_of([&] { return one.call<done>(command("PING")); }).code() == errc::unavailable);
  CHECK(failure_of([&] { return other.call<done>(command("PING")); }).code() == errc::unavailable);
}

TEST_CASE("a server that is restarted is found again by TLS, and subscribed to") {
  support::redis::server server({.tls = true});
  std::atomic<int> gaps{0}, messages{0};
  const scalekit::redis::subscriber s(
      trusted(server.url(), server),
      {.channels = {"a"},
       .on_message = [&](const scalekit::redis::message&) { ++messages; },
       .on_gap = [&](const scalekit::redis::subscription_gap&) { ++gaps; },
       .reconnect = {.base = 5ms, .cap = 50ms}});
  auto c = client::open(trusted(server.url(), server), {.timeout = 60s, .acquire_timeout = 30s});
  c.async_call<done>(command("PING"), asio::use_future).get();
  REQUIRE(support::wait_until([&] { return gaps == 1; }));

  server.stop();
  server.start();

  CHECK(c.async_call<std::string>(command("ECHO", "a"), asio::use_future).get() == "a");
  REQUIRE(support::wait_until([&] { return gaps == 2; }));
  c.call<done>(command("PUBLISH", "a", "x"));
  CHECK(support::wait_until([&] { return messages == 1; }));
}
