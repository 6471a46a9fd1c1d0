// cache.memory: our store against the cache that a service would write for itself. One lookup a
// request, what is missing is put in (hit ratios are printed: they are part of the outcome).

#include "scalekit/cache.hpp"

#include "cache/hit_ratio.hpp"
#include "cache/shared.hpp"
#include "harness.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <list>
#include <malloc.h>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::size_t key_count = 1'000'000;
constexpr std::size_t capacity = 100'000;
constexpr std::size_t draws = 2'000'000;

/// What is asked for, the same for both: keys in the order of the requests, each a string of its
/// own, as it is in a service, where the key has just been made from a request.
struct workload {
  std::vector<std::string> keys;
  std::string value = std::string(100, 'v');

  workload() {
    std::vector<double> reached(key_count);
    double sum = 0;
    for (std::size_t i = 0; i < key_count; ++i) {
      reached[i] = sum += 1.0 / std::pow(static_cast<double>(i + 1), 0.99);
    }
    std::mt19937_64 random(42);
    std::uniform_real_distribution<double> uniform(0, sum);
    for (std::size_t i = 0; i < draws; ++i) {
      const auto rank = std::lower_bound(reached.begin(), reached.end(), uniform(random));
      // The popularity of a product has nothing to do with its number.
      const auto number = static_cast<std::uint64_t>(rank - reached.begin()) * 7919 % key_count;
      char text[32];
      std::snprintf(text, sizeof text, "product:%010llu", static_cast<unsigned long long>(number));
      keys.emplace_back(text);
    }
  }
};

const workload& work() {
  static const workload made;
  return made;
}

/// The peer: one mutex, a list in order of use, an index into it.
class lru {
 public:
  std::optional<std::string> get(const std::string& key) {
    std::lock_guard lock(mutex_);
    auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->second;
  }

  void set(const std::string& key, const std::string& value) {
    std::lock_guard lock(mutex_);
    if (auto found = index_.find(key); found != index_.end()) {
      found->second->second = value;
      entries_.splice(entries_.begin(), entries_, found->second);
      return;
    }
    entries_.emplace_front(key, value);
    index_.emplace(key, entries_.begin());
    if (index_.size() <= capacity) return;
    index_.erase(entries_.back().first);
    entries_.pop_back();
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<std::string, std::string>> entries_;
  std::unordered_map<std::string, decltype(entries_)::iterator> index_;
};

/// Ours, with as many entries: bytes are what it bounds. `Value` is what a lookup returns.
template <class Value>
class ours {
 public:
  ours() : store_(scalekit::cache::store::open({.memory = {.max_bytes = bytes}, .seed = 1})) {}

  std::optional<Value> get(const std::string& key) { return store_.get<Value>(key).value; }
  void set(const std::string& key, const std::string& value) {
    store_.set(key, value, scalekit::cache::ttl::product);
  }
  std::uint64_t entries() const { return store_.stats().memory.entries; }

 private:
  // Chosen so that about `capacity` entries fit; how many did is printed.
  static constexpr std::size_t bytes = capacity * 197;
  scalekit::cache::store store_;
};

using copied = ours<std::string>;
using viewed = ours<scalekit::cache::pinned_bytes>;

template <class Cache>
void ask(Cache& cache, const std::string& key) {
  auto value = cache.get(key);
  if (!value) cache.set(key, work().value);
  bench::keep(value);
}

/// Lookups a second of so many threads together, each from a place of its own in the sequence on;
/// what is missing is put in, as cache-aside does.
template <class Cache>
double lookups(Cache& cache, std::size_t threads, std::size_t& at) {
  using std::chrono::steady_clock;
  constexpr std::size_t part = 1000;
  const auto start = steady_clock::now();
  std::atomic<std::uint64_t> done{0};
  auto run = [&](std::size_t from) {
    const auto& keys = work().keys;
    std::uint64_t count = 0;
    for (; steady_clock::now() < start + std::chrono::milliseconds(800); count += part) {
      for (std::size_t i = 0; i < part; ++i) ask(cache, keys[(from + count + i) % draws]);
    }
    done += count;
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t i = 1; i < threads; ++i) others.emplace_back(run, at + i * draws / threads);
    run(at);
  }
  const std::chrono::duration<double> took = steady_clock::now() - start;
  at += done / threads;
  return static_cast<double>(done) / took.count();
}

template <class Cache>
void warm(Cache& cache) {
  const auto& w = work();
  for (auto& key : w.keys) ask(cache, key);
}

template <class Cache>
double hit_ratio(Cache& cache) {
  const auto& w = work();
  std::size_t hits = 0;
  for (auto& key : w.keys) {
    if (cache.get(key)) {
      ++hits;
    } else {
      cache.set(key, w.value);
    }
  }
  return static_cast<double>(hits) / static_cast<double>(draws);
}

template <class Cache>
struct warmed {
  Cache cache;
  std::size_t at = 0;
};

template <class Cache>
std::function<warmed<Cache>&()> warmed_once(const char* name) {
  auto made = std::make_shared<std::unique_ptr<warmed<Cache>>>();
  return [made, name]() -> warmed<Cache>& {
    if (!*made) {
      *made = std::make_unique<warmed<Cache>>();
      warm((*made)->cache);
      std::printf("  %s: hit ratio %.4f", name, hit_ratio((*made)->cache));
      if constexpr (requires(Cache& c) { c.entries(); }) {
        std::printf(", %llu entries", static_cast<unsigned long long>((*made)->cache.entries()));
      }
      std::printf("\n");
    }
    return **made;
  };
}

template <class Cache>
bench::measure measure_of(const std::function<warmed<Cache>&()>& get, std::size_t threads = 1) {
  return [get, threads] {
    auto& it = get();
    return lookups(it.cache, threads, it.at);
  };
}

std::size_t allocated() {
  const auto now = ::mallinfo2();
  return now.uordblks + now.hblkhd;
}

/// What the allocator gave out for a full cache, an entry, beyond its key and its value.
double overhead() {
  const auto& w = work();
  const auto before = allocated();
  copied cache;
  warm(cache);
  const auto entries = static_cast<double>(cache.entries());
  return static_cast<double>(allocated() - before) / entries -
         static_cast<double>(w.keys.front().size() + w.value.size());
}

}  // namespace

void bench::register_cases() {
  const auto copies = warmed_once<copied>("ours");
  const auto views = warmed_once<viewed>("ours");
  const auto peer = warmed_once<lru>("peer");
  const char* peer_name = "mutex + list + unordered_map LRU";
  add({.name = "cache.memory.hit",
       .unit = "ops/s",
       .ours = measure_of(copies),
       .peer_name = peer_name,
       .peer = measure_of(peer),
       .least_ratio = 2.5});
  add({.name = "cache.memory.hit.view",
       .unit = "ops/s",
       .ours = measure_of(views),
       .peer_name = peer_name,
       .peer = measure_of(peer),
       .least_ratio = 3.5});
  add({.name = "cache.memory.hit2",
       .unit = "ops/s",
       .ours = measure_of(copies, 2),
       .peer_name = "ours, one thread",
       .peer = measure_of(copies),
       .least_ratio = 1.7});
  add({.name = "cache.memory.overhead",
       .unit = "B",
       .direction = better::less,
       .ours = overhead,
       .least_value = 80,
       .once = true});
  register_hit_ratios();
#ifdef SCALEKIT_BENCH_WITH_SERVERS
  register_shared();
#endif
}
