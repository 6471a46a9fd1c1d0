#include "scalekit/cache/sessions.hpp"

#include "cache/session_record.hpp"
#include "conformance/session_suite.hpp"
#include "scalekit/core/error.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cache = scalekit::cache;
using namespace std::chrono_literals;
using scalekit::errc;

namespace {

cache::store memory(const scalekit::clock& clock = scalekit::clock::system()) {
  return cache::store::open({.memory = {.max_bytes = 4 << 20}, .clock = &clock, .seed = 1});
}

constexpr cache::policy long_enough{.type = "session", .ttl = 1h, .jitter = 0};

}  // namespace

TEST_CASE("sessions in memory pass their suite") {
  conformance::sessions::run([](const scalekit::clock& clock) { return memory(clock); });
}

TEST_CASE("settings out of range are refused by name") {
  const auto refused = [](cache::session_params params) {
    CHECK_THROWS_AS(cache::sessions(memory(), params), std::invalid_argument);
  };
  refused({.idle = 0s});
  refused({.lifetime = std::chrono::days(91)});
  refused({.touch_after = 1});
  refused({.memory_ttl = -1s});
  refused({.clock = nullptr});
  cache::sessions sessions(memory());
  CHECK_ERRC(sessions.create(std::string(1025, 'a'), 1), errc::invalid_argument);
}

TEST_CASE(
    "what a call writes that had found the session before it was destroyed is worth nothing") {
  auto store = memory();
  cache::sessions sessions(store);
  const auto id = sessions.create("anna", 1);
  const auto name = cache::detail::session_name(id);

  sessions.destroy(id);
  store.set(cache::detail::use_key(name), true, long_enough);
  store.set("session:data:" + name, 2, long_enough);

  CHECK_FALSE(sessions.load<int>(id));
  CHECK_FALSE(sessions.touch(id));
}

TEST_CASE("a session that is evicted in part is over") {
  auto store = memory();
  cache::sessions sessions(store);
  const auto id = sessions.create("anna", 1);
  const auto name = cache::detail::session_name(id);
  const auto now = cache::detail::period_of(scalekit::clock::system().wall_now());

  SUBCASE("its data") {
    store.erase("session:data:" + name);
    CHECK_FALSE(sessions.load<int>(id));
    CHECK_FALSE(sessions.rotate(id, "anna"));
  }
  SUBCASE("its use") {
    store.erase(cache::detail::use_key(name));
    CHECK_FALSE(sessions.load<int>(id));
  }
  SUBCASE("its user's generation, which a new session brings back as another one") {
    store.erase(cache::detail::generation_key("anna", now));
    CHECK_FALSE(sessions.load<int>(id));
    CHECK(sessions.load<int>(sessions.create("anna", 2)));
    CHECK_FALSE(sessions.load<int>(id));
  }
}

TEST_CASE("neither keys nor errors hold an id") {
  auto store = memory();
  cache::sessions sessions(store);
  const auto id = sessions.create("anna", 1);
  store.close();
  const auto e = support::error_of([&] { sessions.touch(id); });
  CHECK(e.code() == errc::closed);
  CHECK(std::string(e.what()).find(id) == std::string::npos);
}

TEST_CASE("data that the cache has no room for makes no session") {
  auto store = cache::store::open({.memory = {.max_bytes = 64 << 10, .shards = 4}, .seed = 1});
  cache::sessions sessions(store);
  const auto id = sessions.create("anna", std::string(10'000, 'x'));
  CHECK_FALSE(sessions.load<std::string>(id));
  CHECK_FALSE(sessions.rotate(id, "anna"));
}

TEST_CASE("many at once: a destroyed session stays over, another one whole") {
  auto store = memory();
  cache::sessions sessions(store, {.touch_after = 0});
  for (int round = 0; round < 30; ++round) {
    const auto id = sessions.create("anna", std::string(100, 'a'));
    const auto kept = sessions.create("bert", std::string(100, 'a'));
    std::atomic<bool> is_destroyed{false};
    std::atomic<int> broken{0};
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; ++i) {
      callers.emplace_back([&, i] {
        auto mine = sessions;
        for (int n = 0; n < 100; ++n) {
          const bool was_destroyed = is_destroyed;
          const std::string data(100, static_cast<char>('b' + i));
          if ((mine.save(id, data) || mine.touch(id)) && was_destroyed) ++broken;
          mine.save(kept, data);
          const auto found = mine.load<std::string>(kept);
          if (!found || found->data != std::string(100, found->data[0])) ++broken;
        }
      });
    }
    round % 2 == 0 ? sessions.destroy(id) : sessions.destroy_all("anna");
    is_destroyed = true;
    for (auto& each : callers) each.join();
    CHECK(broken == 0);
    CHECK_FALSE(sessions.load<std::string>(id));
    CHECK(sessions.load<std::string>(kept));
  }
}

TEST_CASE("who logs in while all are logged out is either out or in, and stays so") {
  auto store = memory();
  cache::sessions sessions(store);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::string> ids(4);
    std::vector<std::thread> callers;
    for (auto& each : ids) {
      callers.emplace_back([&] { each = cache::sessions(sessions).create("anna", 1); });
    }
    sessions.destroy_all("anna");
    for (auto& each : callers) each.join();
    sessions.destroy_all("anna");
    for (const auto& each : ids) CHECK_FALSE(sessions.touch(each));
  }
}
