// cache.memory.hit: our store against the cache that a service would write for itself. One lookup a
// request, what is missing is put in (hit ratios are printed: they are part of the outcome), values
// copied out, one thread.

#include "scalekit/cache.hpp"

#include "harness.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
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

/// Ours, with as many entries: bytes are what it bounds.
class ours {
 public:
  ours() : store_(scalekit::cache::store::open({.memory = {.max_bytes = bytes}, .seed = 1})) {}

  std::optional<std::string> get(const std::string& key) {
    return store_.get<std::string>(key).value;
  }
  void set(const std::string& key, const std::string& value) {
    store_.set(key, value, scalekit::cache::ttl::product);
  }
  std::uint64_t entries() const { return store_.stats().memory.entries; }

 private:
  // Chosen so that about `capacity` entries fit; register_cases() prints how many did.
  static constexpr std::size_t bytes = capacity * 222;
  scalekit::cache::store store_;
};

/// Lookups a second; what is missing is put in, as cache-aside does.
template <class Cache>
double lookups(Cache& cache, std::size_t& at) {
  const auto& w = work();
  return bench::rate(
      [&](std::uint64_t n) {
        for (std::uint64_t i = 0; i < n; ++i) {
          const auto& key = w.keys[at];
          at = at + 1 == draws ? 0 : at + 1;
          auto value = cache.get(key);
          if (!value) cache.set(key, w.value);
          bench::keep(value);
        }
      },
      0.6);
}

template <class Cache>
void warm(Cache& cache) {
  const auto& w = work();
  for (auto& key : w.keys) {
    if (!cache.get(key)) cache.set(key, w.value);
  }
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
bench::measure measure_of(const char* name) {
  auto made = std::make_shared<std::unique_ptr<warmed<Cache>>>();
  return [made, name] {
    if (!*made) {
      *made = std::make_unique<warmed<Cache>>();
      warm((*made)->cache);
      std::printf("  %s: hit ratio %.4f", name, hit_ratio((*made)->cache));
      if constexpr (requires(Cache& c) { c.entries(); }) {
        std::printf(", %llu entries", static_cast<unsigned long long>((*made)->cache.entries()));
      }
      std::printf("\n");
    }
    return lookups((*made)->cache, (*made)->at);
  };
}

}  // namespace

void bench::register_cases() {
  add({.name = "cache.memory.hit",
       .unit = "ops/s",
       .ours = measure_of<ours>("ours"),
       .peer_name = "mutex + list + unordered_map LRU",
       .peer = measure_of<lru>("peer"),
       .least_ratio = 2});
}
