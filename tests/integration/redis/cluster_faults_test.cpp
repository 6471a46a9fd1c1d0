#include "failure.hpp"
#include "loop.hpp"
#include "redis/reply_reader.hpp"
#include "scalekit/redis.hpp"
#include "support/event_log.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
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

// Nodes that say what no node should.

namespace {

using words = std::vector<std::string>;

/// Takes the login as Redis would, and answers the rest as it is told.
class scripted_node {
 public:
  using script = std::function<std::string(const words&)>;

  explicit scripted_node(script answer) : answer_(std::move(answer)) {}
  ~scripted_node() {
    io_.stop();
    thread_.join();
  }
  scripted_node(const scripted_node&) = delete;
  scripted_node& operator=(const scripted_node&) = delete;

  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }
  std::string url() const { return "redis+cluster://127.0.0.1:" + port(); }

 private:
  std::string answer(const words& said) {
    if (said[0] == "CLIENT") return "+OK\r\n";
    if (said[0] == "PING") return "+PONG\r\n";
    return answer_(said);
  }
  asio::awaitable<void> serve(asio::ip::tcp::socket peer) {
    scalekit::redis::detail::reply_reader reader(1 << 20);
    std::array<char, 4096> in;
    for (;;) {
      boost::system::error_code ec;
      const auto size = co_await peer.async_read_some(
          asio::buffer(in), asio::redirect_error(asio::use_awaitable, ec));
      if (ec) co_return;
      reader.give({in.data(), size});
      while (const auto next = reader.next()) {
        words said;
        for (const auto& each : next->elements) said.push_back(each.text);
        co_await asio::async_write(peer, asio::buffer(answer(said)),
                                   asio::redirect_error(asio::use_awaitable, ec));
      }
    }
  }
  asio::awaitable<void> listen() {
    for (;;) {
      auto peer = co_await acceptor_.async_accept(asio::use_awaitable);
      asio::co_spawn(io_, serve(std::move(peer)), asio::detached);
    }
  }

  const script answer_;
  asio::io_context io_{1};
  asio::ip::tcp::acceptor acceptor_{io_, {asio::ip::make_address("127.0.0.1"), 0}};
  std::thread thread_{[this] {
    asio::co_spawn(io_, listen(), asio::detached);
    io_.run();
  }};
};

/// All slots are at that port.
std::string whole_map(const std::string& port) {
  return "*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n$0\r\n\r\n:" + port + "\r\n$2\r\nid\r\n";
}

}  // namespace

TEST_CASE("a slot map that is none is not used, and the caller is told at its time") {
  for (const std::string map :
       {"*0\r\n", "+secret\r\n", "*1\r\n$6\r\nsecret\r\n",
        "*1\r\n*3\r\n:0\r\n:99999\r\n*2\r\n$1\r\nh\r\n:1\r\n",
        "*2\r\n*3\r\n:0\r\n:9\r\n*2\r\n$1\r\nh\r\n:1\r\n*3\r\n:9\r\n:12\r\n*2\r\n$1\r\ni\r\n:1\r\n",
        "*1\r\n*3\r\n:0\r\n:9\r\n*2\r\n$6\r\nsec et\r\n:1\r\n",
        "-ERR unknown command 'secret'\r\n"}) {
    INFO(map);
    const scripted_node node([&](const words&) { return map; });
    support::event_log log;
    auto c = client::open(
        node.url(),
        {.acquire_timeout = 100ms, .reconnect = {.base = 1ms, .cap = 10ms}, .log = log.sink()});
    const auto async = failure_of(c.async_call<done>(command("GET", "k"), asio::use_future));
    const auto blocking = failure_of([&] { c.call<done>(command("GET", "k")); });
    for (const auto& e : {async, blocking}) {
      CHECK(e.code() == errc::unavailable);
      CHECK(support::contains(e.diag().client_message, "no node has told the slot map"));
      CHECK(e.diag().client_message.find("sec") == std::string::npos);
    }
    CHECK(log.has("redis.cluster.map_failed"));
  }
}

TEST_CASE("a node that sends calls round in circles is left") {
  std::string port;
  const scripted_node node([&](const words& said) {
    if (said[0] == "CLUSTER") return whole_map(port);
    return "-MOVED 5 127.0.0.1:" + port + "\r\n";
  });
  port = node.port();
  auto c = client::open(node.url(), {.timeout = 60s, .reconnect = {.base = 1ms, .cap = 10ms}});

  const auto async = failure_of(c.async_call<done>(command("INCR", "k"), asio::use_future));
  const auto blocking = failure_of([&] { c.call<done>(command("INCR", "k")); });
  for (const auto& e : {async, blocking}) {
    CHECK(e.code() == errc::unavailable);
    CHECK(support::contains(e.diag().client_message, "the nodes of the cluster do not agree"));
  }
}

TEST_CASE("a call that is still sent on when its time is over was late, and not refused") {
  std::string port;
  const scripted_node node([&](const words& said) {
    if (said[0] == "CLUSTER") return whole_map(port);
    return "-MOVED 5 127.0.0.1:" + port + "\r\n";
  });
  port = node.port();
  // A pause is longer than a call may take.
  auto c = client::open(
      node.url(), {.timeout = 500ms, .reconnect = {.base = 1s, .cap = 1s, .full_jitter = false}});
  CHECK(failure_of([&] { c.call<done>(command("INCR", "k")); }).code() == errc::unavailable);
  REQUIRE(support::wait_until([&] { return c.statistics().nodes == 1; }));

  const auto blocking = failure_of([&] { c.call<done>(command("INCR", "k")); });
  const auto async = failure_of(c.async_call<done>(command("INCR", "k"), asio::use_future));
  CHECK(blocking.code() == errc::acquire_timeout);
  CHECK(async.code() == errc::acquire_timeout);
}

TEST_CASE("a redirect to nowhere ends the call, and is not followed") {
  for (const std::string said : {"MOVED", "MOVED x y", "MOVED 99999 127.0.0.1:1", "ASK 1 a b:1"}) {
    INFO(said);
    std::string port;
    std::atomic<int> calls{0};
    const scripted_node node([&](const words& asked) {
      if (asked[0] == "CLUSTER") return whole_map(port);
      ++calls;
      return "-" + said + "\r\n";
    });
    port = node.port();
    auto c = client::open(node.url(), {.timeout = 60s});
    CHECK(failure_of([&] { c.call<done>(command("INCR", "k")); }).code());
    CHECK(failure_of(c.async_call<done>(command("INCR", "k"), asio::use_future)).code());
    CHECK(calls == 2);
  }
}

TEST_CASE("what a script says is not taken for what the node says") {
  std::string port;
  std::atomic<int> calls{0};
  const scripted_node node([&](const words& said) {
    if (said[0] == "CLUSTER") return whole_map(port);
    ++calls;
    return std::string("-TRYAGAIN says a script\r\n");
  });
  port = node.port();
  auto c = client::open(node.url(), {.timeout = 60s});
  CHECK(failure_of([&] { c.call<done>(command("EVAL", "...", 1, "k")); }).code() == errc::conflict);
  CHECK(calls == 1);
}

TEST_CASE("ASKING and its command are not parted, whoever else calls") {
  std::string port;
  std::string target_port;
  std::atomic<int> parted{0};
  std::atomic<int> served{0};
  std::atomic<bool> asking{false};
  const scripted_node target([&](const words& said) {
    if (said[0] == "ASKING") {
      if (asking.exchange(true)) ++parted;
      return std::string("+OK\r\n");
    }
    // One connection alone: async calls share it.
    if (!asking.exchange(false) || said[0] != "INCR") ++parted;
    ++served;
    return std::string(":1\r\n");
  });
  target_port = target.port();
  const scripted_node node([&](const words& said) {
    if (said[0] == "CLUSTER") return whole_map(port);
    return "-ASK 5 127.0.0.1:" + target_port + "\r\n";
  });
  port = node.port();
  loop host;
  auto c = client::open(node.url(), {.timeout = 60s}, host.execution());
  std::vector<std::future<int>> pending;
  for (int i = 0; i < 500; ++i) {
    pending.push_back(c.async_call<int>(command("INCR", "k"), asio::use_future));
  }
  for (auto& each : pending) CHECK(each.get() == 1);
  CHECK(served == 500);
  CHECK(parted == 0);
  CHECK(c.statistics().asked == 500);
}
