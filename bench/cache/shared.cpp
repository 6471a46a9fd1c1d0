// The cache over servers. cache.tiered: memory over Redis with 95 % of the lookups found in memory,
// 64 coroutines on one thread. cache.get_many: 100 keys from memcached in one call.

#include "cache/shared.hpp"

#include "harness.hpp"
#include "scalekit/cache.hpp"
#include "support/memcached/server.hpp"
#include "support/redis/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <libmemcached/memcached.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace cache = scalekit::cache;
using std::chrono::steady_clock;

constexpr std::size_t coroutines = 64;
constexpr std::size_t hot_keys = 10'000;
constexpr std::size_t cold_keys = 10'000;
constexpr std::size_t value_bytes = 100;
constexpr std::size_t batch = 100;
constexpr auto run_time = std::chrono::milliseconds(800);

constexpr cache::policy hot{.type = "hot", .ttl = std::chrono::hours(1), .jitter = 0};
/// Looked up in memory in vain.
constexpr cache::policy cold{.type = "cold",
                             .ttl = std::chrono::hours(1),
                             .memory_ttl = std::chrono::milliseconds(1),
                             .jitter = 0};

void fill(cache::store& store, const std::vector<std::string>& keys, const cache::policy& how) {
  for (std::size_t i = 0; i < keys.size(); i += batch) {
    std::vector<std::pair<std::string, std::string>> values;
    for (std::size_t k = i; k < std::min(i + batch, keys.size()); ++k) {
      values.emplace_back(keys[k], std::string(value_bytes, 'v'));
    }
    store.set_many(values, how);
  }
}

std::vector<std::string> keys_of(const std::string& prefix, std::size_t count) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < count; ++i) keys.push_back(prefix + std::to_string(100'000 + i));
  return keys;
}

/// A store in memory over Redis, and the loop it is asked in.
class tiered {
 public:
  tiered() {
    auto filling = cache::store::open({.memory = {.max_bytes = 0}, .shared = server_.url()});
    fill(filling, cold_, cold);
    fill(filling, hot_, hot);
    // What is hot goes up into memory.
    asio::co_spawn(io_, warm(), asio::detached);
    io_.run();
  }

  double lookups() {
    std::uint64_t count = 0;
    const auto before = store_.stats();
    const auto start = steady_clock::now();
    for (std::size_t i = 0; i < coroutines; ++i) {
      asio::co_spawn(io_, ask(i, start + run_time, count), asio::detached);
    }
    io_.restart();
    io_.run();
    const std::chrono::duration<double> took = steady_clock::now() - start;
    const auto after = store_.stats();
    std::printf("  found in memory: %.4f, missed: %llu\n",
                static_cast<double>(after.memory_hits - before.memory_hits) /
                    static_cast<double>(after.lookups() - before.lookups()),
                static_cast<unsigned long long>(after.misses - before.misses));
    return static_cast<double>(count) / took.count();
  }

 private:
  asio::awaitable<void> warm() {
    for (const auto& key : hot_) co_await store_.async_get<std::string>(key, asio::use_awaitable);
  }

  asio::awaitable<void> ask(std::size_t seed, steady_clock::time_point end, std::uint64_t& count) {
    std::minstd_rand random(static_cast<unsigned>(seed + 1));
    while (steady_clock::now() < end) {
      for (int i = 0; i < 100; ++i, ++count) {
        const auto& keys = random() % 100 < 95 ? hot_ : cold_;
        auto found = co_await store_.async_get<std::string>(keys[random() % keys.size()],
                                                            asio::use_awaitable);
        bench::keep(found);
      }
    }
  }

  support::redis::server server_;
  asio::io_context io_{1};
  const std::vector<std::string> hot_ = keys_of("hot:", hot_keys);
  const std::vector<std::string> cold_ = keys_of("cold:", cold_keys);
  cache::store store_ = cache::store::open({.shared = server_.url(),
                                            .shared_timeout = std::chrono::seconds(5),
                                            .execution = scalekit::execution(io_.get_executor())});
};

/// The same keys on one server, as our store keeps them and as they are.
class batches {
 public:
  batches() {
    fill(store_, keys_, hot);
    memcached_behavior_set(raw_.get(), MEMCACHED_BEHAVIOR_TCP_NODELAY, 1);
    memcached_server_add(raw_.get(), "127.0.0.1", server_.port());
    const std::string value(value_bytes, 'v');
    for (const auto& key : keys_) {
      memcached_set(raw_.get(), key.data(), key.size(), value.data(), value.size(), 0, 0);
    }
  }

  double ours() {
    return repeat([this] {
      const auto found = store_.get_many<std::string>(keys_);
      if (!found.front() || !found.back()) throw std::runtime_error("a key was not found");
    });
  }

  double libmemcached() {
    std::vector<const char*> keys;
    std::vector<std::size_t> sizes;
    for (const auto& key : keys_) {
      keys.push_back(key.data());
      sizes.push_back(key.size());
    }
    return repeat([&] {
      memcached_mget(raw_.get(), keys.data(), sizes.data(), keys.size());
      std::vector<std::string> found;
      memcached_return_t code = MEMCACHED_SUCCESS;
      while (auto* result = memcached_fetch_result(raw_.get(), nullptr, &code)) {
        found.emplace_back(memcached_result_value(result), memcached_result_length(result));
        memcached_result_free(result);
      }
      if (found.size() != batch) throw std::runtime_error("a key was not found");
    });
  }

 private:
  template <class Call>
  static double repeat(const Call& call) {
    return static_cast<double>(batch) * bench::rate([&](std::uint64_t n) {
             for (std::uint64_t i = 0; i < n; ++i) call();
           });
  }

  struct deleter {
    void operator()(memcached_st* m) const noexcept { memcached_free(m); }
  };

  support::memcached::server server_;
  const std::vector<std::string> keys_ = keys_of("product:", batch);
  cache::store store_ = cache::store::open({.memory = {.max_bytes = 0}, .shared = server_.url()});
  std::unique_ptr<memcached_st, deleter> raw_{memcached_create(nullptr)};
};

template <class T>
std::function<T&()> once() {
  return [made = std::make_shared<std::unique_ptr<T>>()]() -> T& {
    if (!*made) *made = std::make_unique<T>();
    return **made;
  };
}

}  // namespace

void register_shared() {
  const auto tier = once<tiered>();
  const auto many = once<batches>();
  bench::add({.name = "cache.tiered",
              .unit = "ops/s",
              .ours = [tier] { return tier().lookups(); },
              .least_value = 1.5e6});
  bench::add({.name = "cache.get_many",
              .unit = "keys/s",
              .ours = [many] { return many().ours(); },
              .peer_name = "libmemcached, memcached_mget of 100",
              .peer = [many] { return many().libmemcached(); },
              .least_ratio = 0.9,
              .runs = 15,
              .twice = true});
}
