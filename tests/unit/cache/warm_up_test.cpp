#include "scalekit/cache.hpp"
#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace cache = scalekit::cache;
using scalekit::errc;
using optional_values = std::vector<std::optional<int>>;
using keys_view = std::span<const std::string>;

namespace {

constexpr cache::policy how{.type = "t"};

std::vector<std::string> numbers(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; ++i) keys.push_back(std::to_string(i));
  return keys;
}

/// Odd ones are absent.
optional_values load(keys_view keys) {
  optional_values all;
  for (const auto& key : keys) {
    const int n = std::stoi(key);
    all.push_back(n % 2 == 0 ? std::optional(n) : std::nullopt);
  }
  return all;
}

const cache::warm_up_params quick{.batch = 10, .per_second = 1e9};

}  // namespace

TEST_CASE("warm-up loads what is missing, batch by batch, and tells how far it is") {
  auto store = cache::store::open();
  store.set("0", 7, how);
  std::vector<std::size_t> batches;
  std::vector<std::uint64_t> told;
  auto params = quick;
  params.on_progress = [&](const cache::warm_up_progress& p) { told.push_back(p.keys); };

  const auto done = cache::warm_up<int>(
      store, numbers(25), how,
      [&](keys_view keys) {
        batches.push_back(keys.size());
        return load(keys);
      },
      params);

  CHECK(batches == std::vector<std::size_t>{9, 10, 5});
  CHECK(told == std::vector<std::uint64_t>{10, 20, 25});
  CHECK(done.keys == 25);
  CHECK(done.present == 1);
  CHECK(done.loaded == 12);
  CHECK(done.absent == 12);
  CHECK(done.failed == 0);
  CHECK_FALSE(done.stopped);
  CHECK(store.get<int>("0").value == 7);
  CHECK(store.get<int>("24").value == 24);
}

TEST_CASE("a batch that fails does not end a warm-up, a store that is closed does") {
  auto store = cache::store::open();
  const auto fail_first = [](keys_view keys) {
    if (keys.front() == "0") throw std::runtime_error("no database");
    return load(keys);
  };
  const auto done = cache::warm_up<int>(store, numbers(25), how, fail_first, quick);
  CHECK(done.failed == 10);
  CHECK(done.keys == 25);
  CHECK_THROWS_WITH(std::rethrow_exception(done.error), "no database");
  CHECK(store.get<int>("20").value == 20);

  const auto close = [&](keys_view keys) {
    store.close();
    return load(keys);
  };
  CHECK_ERRC((cache::warm_up<int>(store, numbers(40), how, close, quick)), errc::closed);
}

TEST_CASE("a warm-up that is asked to stop does, also while it waits for its pace") {
  auto store = cache::store::open();
  std::stop_source stop;
  std::thread other;
  auto params = quick;
  params.per_second = 0.01;
  params.stop = stop.get_token();
  params.on_progress = [&](const cache::warm_up_progress&) {
    other = std::thread([&] { stop.request_stop(); });
  };

  const auto done = cache::warm_up<int>(store, numbers(25), how, load, params);
  other.join();
  CHECK(done.keys == 10);
  CHECK(done.stopped);
  CHECK(cache::warm_up<int>(store, numbers(25), how, load, params).keys == 0);
}

TEST_CASE("the last batch of a warm-up is not waited for") {
  auto store = cache::store::open();
  auto params = quick;
  params.per_second = 0.01;
  CHECK(cache::warm_up<int>(store, numbers(10), how, load, params).keys == 10);
}

TEST_CASE("settings of a warm-up that can never work are refused by name") {
  auto store = cache::store::open();
  CHECK_THROWS_WITH_AS(cache::warm_up<int>(store, numbers(1), how, load, {.batch = 0}),
                       doctest::Contains("warm_up_params.batch"), std::invalid_argument);
  CHECK_THROWS_WITH_AS(cache::warm_up<int>(store, numbers(1), how, load, {.per_second = 0}),
                       doctest::Contains("warm_up_params.per_second"), std::invalid_argument);
}
