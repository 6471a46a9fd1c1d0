#include "failure.hpp"
#include "scalekit/redis.hpp"
#include "support/event_log.hpp"
#include "support/redis/server.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using scalekit::redis::invalidation;
using scalekit::redis::message;
using scalekit::redis::subscriber;
using scalekit::redis::subscriber_params;
using scalekit::redis::subscription_gap;

namespace {

/// What a subscriber has told, as lines.
class heard {
 public:
  subscriber_params params(std::vector<std::string> channels,
                           std::vector<std::string> patterns = {}) {
    return {.channels = std::move(channels),
            .patterns = std::move(patterns),
            .on_message = [this](const message& m) { add(line(m)); },
            .on_gap = [this](const subscription_gap& g) { add(g.is_first ? "first" : "gap"); },
            .reconnect = {.base = 5ms, .cap = 50ms},
            .log = log.sink()};
  }

  subscriber_params tracking(std::vector<std::string> prefixes) {
    auto p = params({});
    p.tracked_prefixes = std::move(prefixes);
    p.on_invalidated = [this](const invalidation& i) {
      for (const auto key : i.keys) add("changed " + std::string(key));
      if (i.is_everything) add("changed all");
    };
    return p;
  }

  bool wait_for(const std::string& wanted) const {
    return support::wait_until([&] {
      const std::lock_guard lock(mutex_);
      return std::find(lines_.begin(), lines_.end(), wanted) != lines_.end();
    });
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  support::event_log log;

 private:
  static std::string line(const message& m) {
    auto text = std::string(m.channel) + "=" + std::string(m.payload);
    return m.pattern.empty() ? text : text + " by " + std::string(m.pattern);
  }
  void add(std::string text) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(text));
  }

  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace

TEST_CASE("messages are heard in their order, by channel and by pattern") {
  support::redis::server server;
  heard h;
  const subscriber s(server.url(), h.params({"a"}, {"b.*"}));
  REQUIRE(h.wait_for("first"));

  server.ask({"PUBLISH", "a", "1"});
  server.ask({"PUBLISH", "other", "2"});
  server.ask({"PUBLISH", "b.c", "3"});
  server.ask({"PUBLISH", "a", "4"});

  REQUIRE(h.wait_for("a=4"));
  CHECK(h.lines() == std::vector<std::string>{"first", "a=1", "b.c=3 by b.*", "a=4"});
  CHECK(s.is_listening());
}

TEST_CASE("a lost connection is made again, and the gap told before what comes after it") {
  support::redis::server server;
  support::tcp_proxy proxy(server.port());
  heard h;
  const subscriber s(server.url_at(proxy.port()), h.params({"a"}));
  REQUIRE(h.wait_for("first"));
  server.ask({"PUBLISH", "a", "before"});
  REQUIRE(h.wait_for("a=before"));

  proxy.cut_all();
  REQUIRE(h.wait_for("gap"));
  server.ask({"PUBLISH", "a", "after"});

  REQUIRE(h.wait_for("a=after"));
  CHECK(h.lines() == std::vector<std::string>{"first", "a=before", "gap", "a=after"});
  CHECK(h.log.count("redis.subscriber.connected") == 2);
  CHECK(h.log.has("redis.subscriber.lost"));
}

TEST_CASE("a server that is killed and comes back is subscribed to again") {
  support::redis::server server;
  heard h;
  const subscriber s(server.url(), h.params({"a"}));
  REQUIRE(h.wait_for("first"));

  server.kill9();
  REQUIRE(support::wait_until([&] { return !s.is_listening(); }));
  server.start();

  REQUIRE(h.wait_for("gap"));
  server.ask({"PUBLISH", "a", "1"});
  CHECK(h.wait_for("a=1"));
}

TEST_CASE("a connection on which nothing comes any more is found out") {
  support::redis::server server;
  support::tcp_proxy proxy(server.port());
  heard h;
  auto params = h.params({"a"});
  params.check_interval = 200ms;
  const subscriber s(server.url_at(proxy.port()), std::move(params));
  REQUIRE(h.wait_for("first"));

  proxy.set_to_server({.swallow = true});
  REQUIRE(support::wait_until([&] { return !s.is_listening(); }));
  proxy.heal();

  REQUIRE(h.wait_for("gap"));
  CHECK(h.log.count("redis.subscriber.lost", "no answer to a PING") == 1);
}

TEST_CASE("it may be closed at any time, also by itself, and hears nothing after") {
  support::redis::server server;
  SUBCASE("while it listens") {
    heard h;
    subscriber s(server.url(), h.params({"a"}));
    REQUIRE(h.wait_for("first"));
    s.close();
    server.ask({"PUBLISH", "a", "1"});
    CHECK(h.lines() == std::vector<std::string>{"first"});
  }
  SUBCASE("while it connects") {
    heard h;
    const support::reserved_port nobody;
    for (int i = 0; i < 20; ++i) {
      subscriber s("redis://127.0.0.1:" + std::to_string(nobody.number()), h.params({"a"}));
    }
    CHECK(h.lines().empty());
  }
  SUBCASE("in a callback") {
    std::unique_ptr<subscriber> s;
    std::mutex made;
    heard h;
    auto params = h.params({"a"});
    params.on_message = [&](const message&) {
      const std::lock_guard lock(made);
      s->close();
    };
    {
      const std::lock_guard lock(made);
      s = std::make_unique<subscriber>(server.url(), std::move(params));
    }
    REQUIRE(h.wait_for("first"));
    server.ask({"PUBLISH", "a", "1"});
    CHECK(support::wait_until([&] { return server.ask({"PUBLISH", "a", "2"}) == "0"; }));
  }
}

TEST_CASE("what a callback throws is logged, and the next message comes") {
  support::redis::server server;
  heard h;
  auto params = h.params({"a"});
  params.on_message = [inner = params.on_message](const message& m) {
    if (m.payload == "bad") throw std::runtime_error("no");
    inner(m);
  };
  const subscriber s(server.url(), std::move(params));
  REQUIRE(h.wait_for("first"));

  server.ask({"PUBLISH", "a", "bad"});
  server.ask({"PUBLISH", "a", "good"});

  CHECK(h.wait_for("a=good"));
  CHECK(h.log.last("redis.subscriber.callback_threw") == "no");
}

TEST_CASE("each change of a key that is tracked is heard, whatever it is and whoever makes it") {
  support::redis::server server;
  heard h;
  const subscriber s(server.url(), h.tracking({"p:", "q:"}));
  REQUIRE(h.wait_for("first"));

  server.ask({"SET", "p:set", "1"});
  REQUIRE(h.wait_for("changed p:set"));
  server.ask({"SET", "other", "1"});
  server.ask({"DEL", "nothing there"});
  server.ask({"SET", "q:dies", "1", "PX", "1"});
  REQUIRE(h.wait_for("changed q:dies"));
  server.ask({"APPEND", "p:set", "2"});
  server.ask({"SET", "q:last", "1"});
  REQUIRE(h.wait_for("changed q:last"));
  auto told = h.lines();
  CHECK(std::ranges::count(told, "changed p:set") == 2);
  CHECK(std::ranges::count(told, "changed other") == 0);

  // When it expires, and when it is evicted.
  CHECK(support::wait_until([&] {
    const auto now = h.lines();
    return std::ranges::count(now, "changed q:dies") == 2;
  }));
  server.ask({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"});
  server.ask({"CONFIG", "SET", "maxmemory", "1"});
  CHECK(support::wait_until([&] {
    const auto now = h.lines();
    return std::ranges::count(now, "changed p:set") == 3;
  }));
  server.ask({"CONFIG", "SET", "maxmemory", "0"});
  server.ask({"FLUSHDB"});
  CHECK(h.wait_for("changed all"));
}

TEST_CASE("keys and channels are heard on one connection, and again after it was lost") {
  support::redis::server server;
  support::tcp_proxy proxy(server.port());
  heard h;
  auto params = h.tracking({"p:"});
  params.channels = {"a"};
  const subscriber s(server.url_at(proxy.port()), std::move(params));
  REQUIRE(h.wait_for("first"));
  server.ask({"SET", "p:1", "1"});
  REQUIRE(h.wait_for("changed p:1"));

  SUBCASE("on its way") {
    proxy.cut_all();
  }
  SUBCASE("by the server") {
    server.ask({"CLIENT", "KILL", "TYPE", "pubsub"});
  }
  SUBCASE("with the server") {
    server.kill9();
    server.start();
  }
  REQUIRE(h.wait_for("gap"));
  server.ask({"SET", "p:2", "1"});
  server.ask({"PUBLISH", "a", "1"});

  CHECK(h.wait_for("changed p:2"));
  CHECK(h.wait_for("a=1"));
}

TEST_CASE("a server that refuses to track keys is asked again, seldom, and the log says why") {
  support::redis::server server;
  server.ask({"ACL", "SETUSER", "weak", "on", ">secret", "~*", "+@all", "resetchannels"});
  heard h;
  const subscriber s("redis://weak:secret@127.0.0.1:" + std::to_string(server.port()),
                     h.tracking({"p:"}));

  CHECK(support::wait_until([&] { return h.log.has("redis.subscriber.lost"); }));
  CHECK(support::contains(h.log.last("redis.subscriber.lost"), "NOPERM"));
  CHECK_FALSE(s.is_listening());
}

TEST_CASE("what can never work is refused") {
  heard h;
  CHECK_THROWS_AS(subscriber("redis://h", h.tracking({"a", "ab"})), std::invalid_argument);
  CHECK_THROWS_AS(subscriber("redis://h", {.tracked_prefixes = {"a"}}), std::invalid_argument);
  CHECK_THROWS_AS(subscriber("redis://h", h.params({})), std::invalid_argument);
  CHECK_THROWS_AS(subscriber("redis://h", {.channels = {"a"}}), std::invalid_argument);
  CHECK_THROWS_AS(subscriber("http://h", h.params({"a"})), std::invalid_argument);
}
