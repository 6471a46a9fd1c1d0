// Loads that outlive the call that began them: who keeps what alive, who is told, what is counted.

#include "scalekit/cache.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "support/held_source.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace std::chrono_literals;
using scalekit::errc;
using support::held_source;

namespace {

constexpr cache::policy swift{
    .type = "swift", .ttl = 60s, .jitter = 0, .stale_for = 1h, .stale_while_refreshing = 1h};

/// A store with one thread for work, and one stale value.
struct fixture {
  explicit fixture(std::size_t most_queued = 100)
      : pool(std::make_shared<scalekit::work_pool>(
            scalekit::work_pool_params{.threads = 1, .max_queued = most_queued})),
        store(cache::store::open({.execution = scalekit::execution(pool->executor(), pool),
                                  .clock = &clock,
                                  .seed = 1})) {
    store.set("a", 1, swift);
    clock.advance(61s);
  }

  /// Keeps the pool's only thread until the returned promise is set.
  std::promise<void> occupy() {
    std::promise<void> release, running;
    pool->post([&running, until = std::make_shared<std::future<void>>(release.get_future())] {
      running.set_value();
      until->wait();
    });
    running.get_future().wait();
    return release;
  }

  scalekit::testing::manual_clock clock;
  std::shared_ptr<scalekit::work_pool> pool;
  cache::store store;
};

}  // namespace

TEST_CASE("a plain loader is never run after its call, whatever the policy asks for") {
  fixture f;
  auto how = swift;
  how.refresh_ahead = 0.1;
  how.soft_timeout = 1ms;
  how.load_timeout = 1h;
  std::atomic<bool> in_call{false};
  std::atomic<int> outside{0}, runs{0};
  const auto here = std::this_thread::get_id();
  for (int i = 0; i < 100; ++i) {
    in_call = true;
    f.store.get_or_load<int>("a", how, [&] {
      ++runs;
      outside += in_call && std::this_thread::get_id() == here ? 0 : 1;
      if (runs % 2 == 0) throw std::runtime_error("no database");
      return runs.load();
    });
    in_call = false;
    f.clock.advance(61s);
  }

  CHECK(runs > 1);
  CHECK(outside == 0);
  CHECK(f.store.stats().refreshes == 0);
}

TEST_CASE("an owned loader is let go of once its last run has ended") {
  fixture f;
  auto held = std::make_shared<int>(7);
  f.store.get_or_load<int>("a", swift, cache::owned([held] { return *held; }));

  CHECK(support::wait_until([&] { return held.use_count() == 1; }));
  CHECK(f.store.get<int>("a").value == 7);
}

TEST_CASE("a refresh that has not begun when the store is gone is dropped") {
  fixture f;
  auto release = f.occupy();
  auto runs = std::make_shared<std::atomic<int>>(0);
  {
    auto last = std::move(f.store);
    f.store = cache::store::open();
    last.get_or_load<int>("a", swift, cache::owned([runs] { return ++*runs; }));
  }
  release.set_value();

  CHECK(support::wait_until([&] { return runs.use_count() == 1; }));
  CHECK(*runs == 0);
}

TEST_CASE("closing asks a running refresh to stop, and keeps nothing of it") {
  fixture f;
  auto source = held_source::make();
  f.store.get_or_load<int>("a", swift, cache::owned([source](const cache::load_context& c) {
                             return source->answer(c, 2);
                           }));
  source->wait_asked();

  f.store.close();

  source->wait_stopped();
}

TEST_CASE("where no thread is free for a refresh, what is stale is served all the same") {
  fixture f(1);
  auto release = f.occupy();
  f.pool->post([] {});  // the queue is full

  auto found = f.store.get_or_load<int>("a", swift, cache::owned([] { return 2; }));
  CHECK(found.value == 1);
  CHECK(f.store.stats().refreshes_failed == 1);

  // And where the loader has to run aside, for its caller.
  auto how = swift;
  how.stale_while_refreshing = 0s;
  how.load_timeout = 1h;
  found = f.store.get_or_load<int>("a", how, cache::owned([] { return 2; }));
  CHECK(found.value == 1);
  REQUIRE(found.error);
  CHECK(scalekit::to_error(found.error).code() == errc::shed);
  release.set_value();
}

TEST_CASE("an asynchronous caller is served what is stale though no thread gets to its load") {
  fixture f;
  auto release = f.occupy();
  auto how = swift;
  how.stale_while_refreshing = 0s;
  asio::io_context io;
  auto store = cache::store::open(
      {.execution = scalekit::execution(io.get_executor(), f.pool), .clock = &f.clock});
  store.set("a", 1, how);
  f.clock.advance(61s);
  int served = 0;
  auto take = [&](std::exception_ptr, cache::lookup<int> found) {
    served += found.value == 1 && found.freshness == cache::freshness::stale ? 1 : 0;
  };

  SUBCASE("at the soft timeout") {
    how.soft_timeout = 1ms;
    store.async_get_or_load<int>(
        "a", how, [] { return 2; }, take);
  }
  SUBCASE("at the call's own") {
    store.async_get_or_load<int>(
        "a", how, [] { return 2; }, {.timeout = 1ms}, take);
  }
  io.run();
  CHECK(served == 1);

  release.set_value();
  CHECK(support::wait_until([&] { return store.get<int>("a").value == 2; }));
  f.pool->close();  // before the loop goes
}

TEST_CASE("a load that hangs past its limit does not keep others from loading") {
  fixture f;
  auto source = held_source::make();
  auto how = swift;
  how.stale_while_refreshing = 0s;
  how.load_timeout = 1ms;
  how.retry_after = 1ms;
  // It hangs, and does not listen when it is told to stop.
  auto deaf = [source](const cache::load_context& c) {
    return source->answer(cache::load_context({}, c.until), 2);
  };
  auto first = f.store.get_or_load<int>("a", how, cache::owned(deaf));
  CHECK(first.freshness == cache::freshness::stale);

  f.clock.advance(1ms);
  how.load_timeout = 0s;
  auto second = f.store.get_or_load<int>("a", how, [] { return 3; });
  CHECK(second.value == 3);
  source->release();
  // What came too late is not kept.
  CHECK(support::wait_until([&] { return source.use_count() <= 2; }));
  CHECK(f.store.get<int>("a").value == 3);
}

TEST_CASE("a policy out of range is refused by name") {
  auto store = cache::store::open();
  auto refusal = [&](cache::policy how) -> std::string {
    try {
      store.set("a", 1, how);
    } catch (const scalekit::error& e) {
      CHECK(e.code() == errc::invalid_argument);
      return e.diag().client_message;
    }
    return "accepted";
  };

  CHECK(refusal({.stale_for = -1ms}).starts_with("policy.stale_for is -1 ms"));
  CHECK(refusal({.stale_for = 1s, .stale_while_refreshing = 2s}) ==
        "policy.stale_while_refreshing is 2000 ms; legal: 0 ms to 1000 ms");
  CHECK(refusal({.soft_timeout = 25h}).starts_with("policy.soft_timeout"));
  CHECK(refusal({.load_timeout = -1ms}).starts_with("policy.load_timeout"));
  CHECK(refusal({.retry_after = 0ms}).starts_with("policy.retry_after"));
  CHECK(refusal({.refresh_ahead = 1.0}).starts_with("policy.refresh_ahead"));
}

TEST_CASE("what is older than an acknowledged erase is never served, stale or fresh") {
  constexpr int keys = 4;
  constexpr cache::policy brief{.type = "brief",
                                .ttl = 2ms,
                                .stale_for = 1h,
                                .stale_while_refreshing = 1h,
                                .soft_timeout = 1ms,
                                .load_timeout = 1s,
                                .retry_after = 1ms,
                                .refresh_ahead = 0.5};
  auto store = cache::store::open({.memory = {.max_bytes = 256 << 10}});
  // A key's truth is raised, then the key is erased, then that is acknowledged.
  using counts = std::array<std::atomic<int>, keys>;
  auto truth = std::make_shared<counts>();
  counts acknowledged{};
  std::atomic<int> too_old{0}, served_stale{0};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 4000; ++i) {
        const auto k = random() % keys;
        const auto key = std::to_string(k);
        // Only one thread changes a key: its truth and its acknowledgement go together.
        if (k == t && random() % 8 == 0) {
          const int now = ++(*truth)[k];
          store.erase(key);
          acknowledged[k] = now;
          continue;
        }
        const int least = acknowledged[k];
        const bool fails = random() % 4 == 0;
        auto load = [truth, k, fails] {
          const int value = (*truth)[k];
          if (fails) throw std::runtime_error("no database");
          return value;
        };
        try {
          cache::lookup<int> found;
          switch (random() % 3) {
            case 0:
              found = store.get_or_load<int>(key, brief, cache::owned(load));
              break;
            case 1:
              found = store.get_or_load<int>(key, brief, load);
              break;
            default:
              found = store.async_get_or_load<int>(key, brief, load, asio::use_future).get();
          }
          if (*found < least) ++too_old;
          if (found.freshness == cache::freshness::stale) ++served_stale;
        } catch (const std::runtime_error&) {
          // Nothing was kept that could be served.
        }
      }
    });
  }
  threads.clear();

  CHECK(too_old == 0);
  CHECK(served_stale > 0);
}
