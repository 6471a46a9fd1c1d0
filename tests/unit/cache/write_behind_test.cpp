#include "scalekit/cache.hpp"
#include "support/event_log.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace cache = scalekit::cache;
using namespace std::chrono_literals;
using scalekit::errc;
using support::wait_until;
using changes = std::span<const cache::pending_write<int>>;

namespace {

constexpr cache::policy how{.type = "t"};

/// A database, which fails when told to.
struct database {
  void write(changes all) {
    const std::lock_guard lock(mutex);
    if (failures > 0) {
      --failures;
      throw std::runtime_error("no database");
    }
    batches.push_back(all.size());
    for (const auto& each : all) {
      if (each.value) {
        rows[each.key] = *each.value;
      } else {
        rows.erase(each.key);
      }
    }
  }

  std::mutex mutex;
  int failures = 0;
  std::vector<std::size_t> batches;
  std::map<std::string, int> rows;
};

struct fixture {
  cache::write_behind<int> behind(cache::write_behind_params params = {.max_delay = 1h}) {
    params.retry = {.base = 1ms, .cap = 1ms};
    return {store, how, [this](changes all) { db.write(all); }, params};
  }

  database db;
  cache::store store = cache::store::open();
};

}  // namespace

TEST_CASE("what was put is seen at once, and written later, each key once") {
  fixture f;
  auto behind = f.behind();
  for (int i = 1; i <= 5; ++i) behind.put("a", i);
  behind.put("b", 7);
  f.store.set("c", 3, how);
  behind.erase("c");

  CHECK(behind.get("a").value == 5);
  CHECK(behind.get("c").freshness == cache::freshness::negative);
  CHECK_FALSE(behind.get("d"));
  CHECK(behind.get_or_load("a", [] { return 9; }).value == 5);
  CHECK(f.db.batches.empty());
  CHECK(behind.stats().pending == 3);
  CHECK(behind.stats().coalesced == 4);

  CHECK(behind.flush(1min));
  CHECK(f.db.batches == std::vector<std::size_t>{3});
  CHECK(f.db.rows == std::map<std::string, int>{{"a", 5}, {"b", 7}});
  CHECK(f.store.get<int>("a").value == 5);
  CHECK_FALSE(f.store.get<int>("c"));
  CHECK(behind.stats().pending == 0);
  CHECK(behind.stats().written == 3);
  CHECK(behind.flush(0s));
}

TEST_CASE("nobody has to ask: changes are written after max_delay, or when a batch is full") {
  fixture f;
  auto soon = f.behind({.max_delay = 1ms});
  soon.put("a", 1);
  CHECK(wait_until([&] { return soon.stats().written == 1; }));

  auto full = f.behind({.max_delay = 1h, .batch = 2});
  full.put("b", 1);
  full.put("c", 1);
  CHECK(wait_until([&] { return full.stats().written == 2; }));
}

TEST_CASE("a sink that fails gets the same changes again, with what is newer by then") {
  fixture f;
  support::event_log log;
  f.db.failures = 3;
  auto behind = f.behind({.max_delay = 1h, .log = log.sink()});
  behind.put("a", 1);
  behind.put("b", 2);
  CHECK(behind.flush(1min));
  CHECK(f.db.rows == std::map<std::string, int>{{"a", 1}, {"b", 2}});
  CHECK(behind.stats().failures == 3);
  CHECK(log.count("cache.write_behind.failed") == 1);
}

TEST_CASE("what is changed while the sink has it is written again") {
  fixture f;
  std::atomic<bool> is_inside{false}, may_go{false};
  cache::write_behind<int> behind(f.store, how,
                                  [&](changes all) {
                                    is_inside = true;
                                    wait_until([&] { return may_go.load(); });
                                    f.db.write(all);
                                  },
                                  {.max_delay = 1ms});
  behind.put("a", 1);
  REQUIRE(wait_until([&] { return is_inside.load(); }));
  behind.put("a", 2);
  CHECK(behind.get("a").value == 2);
  CHECK_FALSE(behind.flush(1ms));
  may_go = true;
  CHECK(behind.flush(1min));
  CHECK(f.db.rows.at("a") == 2);
  CHECK(f.store.get<int>("a").value == 2);
  CHECK(behind.stats().written == 2);
}

TEST_CASE("more than may wait is refused, and nothing is lost by it") {
  fixture f;
  f.db.failures = 1'000'000;
  auto behind = f.behind({.max_delay = 1ms, .max_pending = 2});
  behind.put("a", 1);
  behind.put("b", 1);
  CHECK_ERRC(behind.put("c", 1), errc::shed);
  behind.put("a", 2);
  CHECK(behind.stats().shed == 1);
  {
    const std::lock_guard lock(f.db.mutex);
    f.db.failures = 0;
  }
  CHECK(behind.close() == 0);
  CHECK(f.db.rows == std::map<std::string, int>{{"a", 2}, {"b", 1}});
}

TEST_CASE("close writes what is pending, or says how much was lost") {
  fixture f;
  auto good = f.behind();
  good.put("a", 1);
  CHECK(good.close() == 0);
  CHECK(f.db.rows.at("a") == 1);
  CHECK_ERRC(good.put("b", 1), errc::closed);
  CHECK(good.get("a").value == 1);

  support::event_log log;
  f.db.failures = 1'000'000;
  auto bad = f.behind({.max_delay = 1h, .close_timeout = 5ms, .log = log.sink()});
  bad.put("c", 1);
  CHECK(bad.close() == 1);
  CHECK(bad.stats().lost == 1);
  CHECK(log.count("cache.write_behind.lost") == 1);
}

TEST_CASE("close tries what is pending, however long the pause after a failure is") {
  fixture f;
  f.db.failures = 1;
  cache::write_behind<int> behind(
      f.store, how, [&](changes all) { f.db.write(all); },
      {.max_delay = 1ms, .retry = {.base = 1h, .cap = 1h, .full_jitter = false}});
  behind.put("a", 1);
  REQUIRE(wait_until([&] { return behind.stats().failures == 1; }));
  CHECK(behind.close() == 0);
  CHECK(f.db.rows.at("a") == 1);
}

TEST_CASE("what the cache refuses is written all the same, and the older value is gone") {
  fixture f;
  f.store = cache::store::open({.max_value_bytes = 1024});
  f.store.set("a", std::string("old"), how);
  cache::write_behind<std::string> behind(
      f.store, how, [](std::span<const cache::pending_write<std::string>>) {});
  behind.put("a", std::string(5000, 'x'));
  CHECK(behind.flush(1min));
  CHECK_FALSE(f.store.get<std::string>("a"));
}

TEST_CASE("many threads put, and the last value of each key is written") {
  fixture f;
  auto behind = f.behind({.max_delay = 1ms, .batch = 7});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&behind, t] {
      for (int i = 1; i <= 500; ++i) {
        const auto key = std::to_string(t) + "/" + std::to_string(i % 10);
        behind.put(key, i);
        CHECK(behind.get(key).value == i);
      }
    });
  }
  for (auto& each : threads) each.join();
  CHECK(behind.flush(1min));
  CHECK(f.db.rows.size() == 40);
  for (const auto& [key, value] : f.db.rows) {
    CHECK(value > 490);
    CHECK(f.store.get<int>(key).value == value);
  }
}

TEST_CASE("settings of write-behind that can never work are refused by name") {
  fixture f;
  CHECK_THROWS_WITH_AS(f.behind({.max_delay = 0s}),
                       doctest::Contains("write_behind_params.max_delay"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(f.behind({.max_pending = 0}),
                       doctest::Contains("write_behind_params.max_pending"), std::invalid_argument);
  const cache::policy never{.type = "t", .ttl = 0s};
  CHECK_ERRC(cache::write_behind<int>(f.store, never, [](changes) {}), errc::invalid_argument);
}

TEST_CASE("write-through: the value is written, then kept; a write that fails leaves nothing") {
  auto store = cache::store::open();
  int written = 0;
  cache::write_through(store, "a", 1, how, [&](int value) {
    written = value;
    CHECK_FALSE(store.get<int>("a"));
  });
  CHECK(written == 1);
  CHECK(store.get<int>("a").value == 1);

  CHECK_THROWS_WITH(cache::write_through(store, "a", 2, how,
                                         [](int) { throw std::runtime_error("no database"); }),
                    "no database");
  CHECK_FALSE(store.get<int>("a"));
}

TEST_CASE("write-through: what the cache would refuse anyway is not written") {
  auto store = cache::store::open();
  bool is_written = false;
  const auto write = [&](int) { is_written = true; };
  const cache::policy never{.type = "t", .ttl = 0s};
  CHECK_ERRC(cache::write_through(store, "a", 1, never, write), errc::invalid_argument);
  CHECK_ERRC(cache::write_through(store, "", 1, how, write), errc::invalid_argument);
  CHECK_FALSE(is_written);
}
