#include "failure.hpp"
#include "loop.hpp"
#include "scalekit/redis.hpp"
#include "support/redis/server.hpp"
#include "support/reserved_port.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace redis_tests;
using namespace std::chrono_literals;
using scalekit::done;
using scalekit::errc;
using scalekit::redis::client;
using scalekit::redis::command;

TEST_CASE("single bytes, in both directions, are all the same") {
  support::redis::server server;
  support::tcp_proxy proxy(server.port());
  proxy.set_to_server({.max_chunk = 1});
  proxy.set_to_client({.max_chunk = 1, .bytes_per_second = 20'000});
  loop host;
  auto c = client::open(server.url_at(proxy.port()), {.timeout = 60s}, host.execution());
  std::vector<std::future<std::string>> pending;
  for (int i = 0; i < 50; ++i) {
    pending.push_back(
        c.async_call<std::string>(command("ECHO", "text " + std::to_string(i)), asio::use_future));
  }
  for (int i = 0; i < 50; ++i) {
    CHECK(pending[static_cast<std::size_t>(i)].get() == "text " + std::to_string(i));
  }
  CHECK(c.call<std::string>(command("ECHO", "x")) == "x");
}

TEST_CASE("a connection on which nothing arrives any more is given up, and made anew") {
  support::redis::server server;
  support::tcp_proxy proxy(server.port());
  loop host;
  auto c = client::open(server.url_at(proxy.port()),
                        {.timeout = 60s,
                         .acquire_timeout = 30s,
                         .connect_timeout = 300ms,
                         .silence_timeout = 200ms,
                         .reconnect = {.base = 1ms, .cap = 10ms}},
                        host.execution());
  c.async_call<done>(command("SET", "k", "v"), asio::use_future).get();

  proxy.set_to_client({.swallow = true});
  auto read = c.async_call<std::string>(command("GET", "k"), asio::use_future);
  auto write = c.async_call<int>(command("INCR", "n"), asio::use_future);

  const auto e = failure_of(std::move(write));
  CHECK(outcome_unknown(e));
  CHECK(e.diag().client_message.find("nothing came for 200 ms") != std::string::npos);
  proxy.heal();
  CHECK(read.get() == "v");
}

TEST_CASE("who listens and never answers is no connection") {
  support::redis::server server;
  support::tcp_proxy proxy(server.port());
  proxy.set_to_client({.swallow = true});
  auto c = client::open(server.url_at(proxy.port()),
                        {.acquire_timeout = 200ms, .connect_timeout = 100ms});

  const auto async = failure_of(c.async_call<done>(command("GET", "k"), asio::use_future));
  CHECK(async.code() == errc::unavailable);
  CHECK(async.diag().client_message.find("no answer to the login within 100 ms") !=
        std::string::npos);
  CHECK(failure_of([&] { return c.call<done>(command("GET", "k")); }).code() == errc::unavailable);
}

namespace {

/// Answers the login as Redis would, and everything after with `bytes`.
class impostor {
 public:
  explicit impostor(std::string bytes) : bytes_(std::move(bytes)) {}
  ~impostor() {
    io_.stop();
    thread_.join();
  }
  impostor(const impostor&) = delete;
  impostor& operator=(const impostor&) = delete;

  std::string url() const {
    return "redis://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  asio::awaitable<void> serve(asio::ip::tcp::socket peer) {
    std::string in;
    // PING is the last of the login, GET whatever comes after.
    co_await asio::async_read_until(peer, asio::dynamic_buffer(in), "PING\r\n",
                                    asio::use_awaitable);
    co_await asio::async_write(peer, asio::buffer(std::string("+OK\r\n+PONG\r\n")),
                               asio::use_awaitable);
    in.clear();
    co_await asio::async_read_until(peer, asio::dynamic_buffer(in), "GET\r\n", asio::use_awaitable);
    co_await asio::async_write(peer, asio::buffer(bytes_), asio::use_awaitable);
    co_await asio::async_read_until(peer, asio::dynamic_buffer(in), "never", asio::use_awaitable);
  }
  asio::awaitable<void> listen() {
    for (;;) {
      auto peer = co_await acceptor_.async_accept(asio::use_awaitable);
      asio::co_spawn(io_, serve(std::move(peer)), asio::detached);
    }
  }

  const std::string bytes_;
  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::thread thread_{[this] {
    asio::co_spawn(io_, listen(), asio::detached);
    io_.run();
  }};
};

}  // namespace

TEST_CASE("what is no answer of Redis ends the call and its connection, and is not shown") {
  for (const std::string bytes : {"HTTP/1.1 200 secret\r\n", "$12x\r\nsecret", ":\r\n"}) {
    INFO(bytes);
    const impostor server(bytes);
    auto c = client::open(server.url(), {.timeout = 30s});

    const auto async = failure_of(c.async_call<std::string>(command("GET", "k"), asio::use_future));
    CHECK(async.code() == errc::connection_lost);
    CHECK(async.diag().client_message == "GET: no answer: this is not the Redis protocol");
    CHECK(failure_of([&] { return c.call<std::string>(command("GET", "k")); }).code() ==
          errc::connection_lost);
  }
}

TEST_CASE("more answers than questions end the connection") {
  const impostor server(":1\r\n:2\r\n");
  auto c = client::open(server.url(), {.timeout = 30s});

  CHECK(c.async_call<int>(command("GET", "k"), asio::use_future).get() == 1);
  CHECK(c.async_call<int>(command("GET", "k"), asio::use_future).get() == 1);
  CHECK(c.call<int>(command("GET", "k")) == 1);
  CHECK(c.call<int>(command("GET", "k")) == 1);
}
