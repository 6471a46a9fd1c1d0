// Loads shared by callers: who waits, who gives up, who is told what.

#include "scalekit/cache.hpp"
#include "support/held_source.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using namespace std::chrono_literals;
using scalekit::errc;

namespace {

/// A loader that lasts until it is released or stopped.
struct gate {
  int pass(const cache::load_context& context, int value) {
    std::unique_lock lock(mutex);
    ++entered;
    changed.notify_all();
    changed.wait(lock, context.stop, [&] { return open; });
    stopped = context.stop.stop_requested();
    changed.notify_all();
    return value;
  }
  void wait_entered() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return entered > 0; });
  }
  void wait_stopped() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return stopped; });
  }
  void release() {
    std::lock_guard lock(mutex);
    open = true;
    changed.notify_all();
  }

  std::mutex mutex;
  std::condition_variable_any changed;
  int entered = 0;
  bool open = false;
  bool stopped = false;
};

void wait_until(const std::function<bool()>& holds) {
  while (!holds()) std::this_thread::yield();
}

errc code_of(auto& future) {
  try {
    future.get();
    return errc{};
  } catch (const scalekit::error& e) {
    return static_cast<errc>(e.code().value());
  }
}

}  // namespace

TEST_CASE("callers who come while a key is loaded wait for that load") {
  auto store = cache::store::open();
  gate loading;
  std::vector<std::future<int>> callers;
  for (int i = 0; i < 8; ++i) {
    callers.push_back(std::async(std::launch::async, [&] {
      return *store.get_or_load<int>("a", cache::ttl::query, [&](const cache::load_context& c) {
        return loading.pass(c, 42);
      });
    }));
  }
  wait_until([&] { return store.stats().coalesced == 7; });
  loading.release();

  for (auto& caller : callers) CHECK(caller.get() == 42);
  CHECK(loading.entered == 1);
  CHECK(store.stats().loads == 1);
}

TEST_CASE("everyone waiting gets the loader's exception") {
  auto store = cache::store::open();
  gate loading;
  std::vector<std::future<int>> callers;
  for (int i = 0; i < 3; ++i) {
    callers.push_back(std::async(std::launch::async, [&] {
      return *store.get_or_load<int>("a", cache::ttl::query,
                                     [&](const cache::load_context& c) -> int {
                                       loading.pass(c, 0);
                                       throw std::runtime_error("no database");
                                     });
    }));
  }
  wait_until([&] { return store.stats().coalesced == 2; });
  loading.release();

  for (auto& caller : callers) CHECK_THROWS_AS(caller.get(), std::runtime_error);
  CHECK(store.stats().loads_failed == 1);
}

TEST_CASE("a waiter whose deadline passes leaves, and the load goes on") {
  auto store = cache::store::open();
  gate loading;
  auto leader = std::async(std::launch::async, [&] {
    return *store.get_or_load<int>(
        "a", cache::ttl::query, [&](const cache::load_context& c) { return loading.pass(c, 1); });
  });
  loading.wait_entered();

  try {
    store.get_or_load<int>("a", cache::ttl::query, [] { return 2; }, {.timeout = 1ms});
    FAIL("must time out");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == errc::acquire_timeout);
  }
  loading.release();
  CHECK(leader.get() == 1);
  CHECK(store.get<int>("a").value == 1);
  CHECK(store.stats().abandoned_waits == 1);
}

TEST_CASE("an asynchronous load goes on when the caller who began it is cancelled") {
  asio::io_context io;
  auto store = cache::store::open({.execution = scalekit::execution{io.get_executor()}});
  gate loading;
  auto load = [&](const cache::load_context& c) { return loading.pass(c, 5); };
  asio::cancellation_signal signal;
  std::optional<errc> first;
  std::optional<int> second;

  store.async_get_or_load<int>(
      "a", cache::ttl::query, load,
      asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, cache::lookup<int>) {
        first = static_cast<errc>(scalekit::to_error(e).code().value());
        loading.release();
      }));
  loading.wait_entered();
  store.async_get_or_load<int>(
      "a", cache::ttl::query, load,
      [&](std::exception_ptr, cache::lookup<int> found) { second = found.value; });
  signal.emit(asio::cancellation_type::terminal);
  io.run();

  CHECK(first == errc::cancelled);
  CHECK(second == 5);
  CHECK_FALSE(loading.stopped);
}

TEST_CASE("a load that nobody waits for any more is asked to stop") {
  auto store = cache::store::open();
  // Not on this stack: it may be asked after the caller has timed out.
  auto source = support::held_source::make();
  auto caller = store.async_get_or_load<int>(
      "a", cache::ttl::query,
      [source](const cache::load_context& c) { return source->answer(c, 5); }, {.timeout = 1ms},
      asio::use_future);

  CHECK(code_of(caller) == errc::acquire_timeout);
  // It may have timed out before it began; then nothing runs at all.
  if (source->asked() > 0) source->wait_stopped();
}

TEST_CASE("closing ends all waiting, and what is loaded then is not kept") {
  auto store = cache::store::open();
  gate loading;
  auto caller = store.async_get_or_load<int>(
      "a", cache::ttl::query, [&](const cache::load_context& c) { return loading.pass(c, 5); },
      asio::use_future);
  loading.wait_entered();

  store.close();

  CHECK(code_of(caller) == errc::closed);
  loading.wait_stopped();
}

TEST_CASE("many threads that load, set and erase see only whole and current values") {
  auto store = cache::store::open({.memory = {.max_bytes = 64 << 10, .shards = 2}});
  constexpr int keys = 16;
  std::array<std::atomic<int>, keys> truth{};
  std::atomic<int> stale{0};
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 3000; ++i) {
        const auto k = random() % keys;
        const auto key = std::to_string(k);
        if (random() % 8 == 0) {
          truth[k].fetch_add(1);
          store.erase(key);
          continue;
        }
        // Whatever was true before the call may be returned, nothing older.
        const int before = truth[k];
        const int got =
            *store.get_or_load<int>(key, cache::ttl::query, [&] { return truth[k].load(); });
        if (got < before - 3) ++stale;
      }
    });
  }
  threads.clear();

  // At most three other threads are between changing the truth and erasing.
  CHECK(stale == 0);
}

TEST_CASE("a load that begins amid a set loses to it") {
  auto store = cache::store::open();
  std::atomic<bool> over{false};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      while (!over) store.get_or_load<int>("a", cache::ttl::query, [] { return 0; });
    });
  }

  int lost = 0;
  for (int i = 1; i <= 20'000; ++i) {
    store.erase("a");
    store.set("a", i, cache::ttl::query);
    lost += store.get<int>("a").value != i ? 1 : 0;
  }
  over = true;
  threads.clear();

  CHECK(lost == 0);
}
