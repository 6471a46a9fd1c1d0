// Notifications.

#include "postgres_fixture.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;

namespace {

/// What a listener heard.
struct ear {
  std::mutex mutex;
  std::vector<std::string> heard;
  std::atomic<int> resyncs{0};

  db::listener_params params(std::vector<std::string> channels) {
    return {.channels = std::move(channels),
            .on_notification =
                [this](const db::notification& n) {
                  std::lock_guard lock(mutex);
                  heard.push_back(std::string(n.channel) + ":" + std::string(n.payload));
                },
            .on_resync = [this] { ++resyncs; },
            .reconnect = {.base = 10ms, .cap = 100ms},
            .check_interval = 300ms};
  }
  bool has(const std::string& what) {
    std::lock_guard lock(mutex);
    return !heard.empty() && heard.back() == what;
  }
  std::size_t count() {
    std::lock_guard lock(mutex);
    return heard.size();
  }
};

std::string through(const support::tcp_proxy& proxy) {
  return "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/postgres";
}

}  // namespace

TEST_CASE("a listener hears its channels, in order, after its first resync") {
  const database d;
  auto client = d.open();
  ear e;
  db::listener l(d.url, e.params({"jobs", "Odd \"name\""}));
  REQUIRE(support::wait_until([&] { return e.resyncs == 1; }));
  CHECK(l.is_listening());

  shared_server().exec("notify jobs, 'a'; notify other, 'x'; notify \"Odd \"\"name\"\"\", 'b'",
                       d.name);
  client.write(sql("select pg_notify('jobs', 'c')"));

  CHECK(support::wait_until([&] { return e.count() == 3; }));
  CHECK(e.heard == std::vector<std::string>{"jobs:a", "Odd \"name\":b", "jobs:c"});
}

TEST_CASE("a listener listens again after its server was restarted, and resyncs") {
  support::postgres::server server;
  ear e;
  db::listener l(server.socket_url(), e.params({"jobs"}));
  REQUIRE(support::wait_until([&] { return e.resyncs == 1; }));

  server.stop(support::postgres::stop_mode::immediate);
  CHECK(support::wait_until([&] { return !l.is_listening(); }));
  server.start();

  CHECK(support::wait_until([&] { return e.resyncs == 2; }));
  server.exec("notify jobs, 'again'");
  CHECK(support::wait_until([&] { return e.has("jobs:again"); }));
}

TEST_CASE("a listener finds out that its connection is half open") {
  support::tcp_proxy proxy(shared_server().port());
  ear e;
  db::listener l(through(proxy), e.params({"jobs"}));
  REQUIRE(support::wait_until([&] { return e.resyncs == 1; }));

  proxy.set_to_server({.swallow = true});
  CHECK(support::wait_until([&] { return !l.is_listening(); }));
  proxy.heal();

  CHECK(support::wait_until([&] { return e.resyncs >= 2; }));
}

TEST_CASE("a listener tells of every check that its server has answered") {
  support::tcp_proxy proxy(shared_server().port());
  ear e;
  std::atomic<int> checks{0};
  auto params = e.params({"jobs"});
  params.check_interval = 100ms;
  params.on_check = [&] { ++checks; };
  db::listener l(through(proxy), params);

  CHECK(support::wait_until([&] { return checks >= 2; }));

  proxy.set_to_server({.swallow = true});
  REQUIRE(support::wait_until([&] { return !l.is_listening(); }));
  const int before = checks;
  proxy.heal();
  REQUIRE(support::wait_until([&] { return e.resyncs >= 2; }));
  CHECK(support::wait_until([&] { return checks > before; }));
}

TEST_CASE("a listener that is closed while it waits or connects ends at once") {
  support::tcp_proxy proxy(shared_server().port());
  ear e;
  auto waiting = std::make_unique<db::listener>(shared_server().socket_url(), e.params({"jobs"}));
  REQUIRE(support::wait_until([&] { return e.resyncs == 1; }));
  waiting->close();
  waiting->close();
  CHECK_FALSE(waiting->is_listening());
  waiting.reset();

  proxy.set_accepting(support::accept_mode::hang);
  db::listener connecting(through(proxy), e.params({"jobs"}));
  connecting.close();

  CHECK(e.resyncs == 1);
}

TEST_CASE("callbacks may throw, and close or destroy their listener") {
  const database d;
  auto client = d.open();
  std::unique_ptr<db::listener> l;
  std::atomic<int> calls{0};
  std::atomic<bool> ready{false}, gone{false};
  l = std::make_unique<db::listener>(d.url,
                                     db::listener_params{.channels = {"jobs"},
                                                         .on_notification =
                                                             [&](const db::notification&) {
                                                               if (++calls == 1)
                                                                 throw std::runtime_error("first");
                                                               l->close();
                                                               l.reset();
                                                               gone = true;
                                                             },
                                                         .on_resync = [&] { ready = true; }});
  REQUIRE(support::wait_until([&] { return ready.load(); }));

  for (int i = 0; i < 2; ++i) client.write(sql("select pg_notify('jobs', '')"));

  CHECK(support::wait_until([&] { return gone.load(); }));
  CHECK(calls == 2);
}

TEST_CASE("a listener that can never work says so") {
  ear e;
  const auto url = shared_server().socket_url();
  auto none = e.params({"jobs"});
  none.on_notification = nullptr;

  CHECK_ERRC(db::listener("sqlite::memory:", e.params({"jobs"})), errc::not_supported);
  CHECK_THROWS_AS(db::listener(url, e.params({})), std::invalid_argument);
  CHECK_THROWS_AS(db::listener(url, e.params({""})), std::invalid_argument);
  CHECK_THROWS_AS(db::listener(url, none), std::invalid_argument);
}
