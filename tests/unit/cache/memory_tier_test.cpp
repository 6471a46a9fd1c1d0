#include "cache/memory_tier.hpp"

#include "cache/hash.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <random>
#include <string>
#include <thread>
#include <vector>

using namespace scalekit::cache::detail;
using scalekit::cache::freshness;
using scalekit::cache::pinned_bytes;

namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::uint64_t hash = 42;
constexpr std::uint32_t stripe = 7;

memory_item item(std::string_view value) {
  return {"a", hash, value, 0, 1000 * ms, 1, false};
}

/// A value that tells the key that it belongs to, and whether it is whole.
std::string value_of(const std::string& key, std::size_t size) {
  std::string value = key + ":";
  value.resize(std::max(size, value.size()), key.back());
  return value;
}

bool is_value_of(const std::string& key, std::string_view value) {
  return value == value_of(key, value.size());
}

}  // namespace

TEST_CASE("a fill that began before a put is refused, one that began after it is not") {
  memory_tier tier({.max_bytes = 64 << 10}, 1);
  fence gate;
  const auto before = gate.current(stripe);
  std::string found;

  tier.put(item("set"), gate, stripe);

  CHECK_FALSE(tier.fill(item("loaded"), gate, stripe, before));
  tier.find("a", hash, ms, found);
  CHECK(found == "set");
  CHECK(tier.fill(item("loaded"), gate, stripe, gate.current(stripe)));
}

TEST_CASE("a fill does not take the place of what was stored later") {
  memory_tier tier({.max_bytes = 64 << 10}, 1);
  fence gate;
  const auto token = gate.current(stripe);
  std::string found;
  tier.fill({"a", hash, "refreshed", 500 * ms, 1000 * ms, 1, false}, gate, stripe, token);

  // As a file's value does that was read before the refresh.
  CHECK(tier.fill(item("older"), gate, stripe, token));
  tier.find("a", hash, 600 * ms, found);
  CHECK(found == "refreshed");
}

TEST_CASE("what nobody has asked for is not counted as a hit") {
  memory_tier tier({.max_bytes = 64 << 10}, 1);
  fence gate;
  tier.put(item("value"), gate, stripe);
  std::string found;

  CHECK(tier.peek("a", hash, ms, found).freshness == freshness::fresh);
  CHECK(found == "value");
  CHECK(tier.hits().hits[1] == 0);
  tier.find("a", hash, ms, found);
  CHECK(tier.hits().hits[1] == 1);
}

TEST_CASE("a writer of one shard gives back what has expired in all") {
  memory_tier tier({.max_bytes = 256 << 10, .shards = 4}, 1);
  fence gate;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto key = std::to_string(i);
    tier.put({key, key_hash(key, 0), "value", 0, 1000 * ms, 1, false}, gate, stripe);
  }
  CHECK(tier.counts(0).entries == 200);

  tier.put({"later", key_hash("later", 0), "value", 3000 * ms, 9000 * ms, 1, false}, gate, stripe);
  CHECK(tier.counts(0).entries == 1);
  CHECK(tier.counts(0).expired == 200);
}

TEST_CASE("what is pinned stays as it was, whatever becomes of its key") {
  pinned_bytes held;
  {
    memory_tier tier({.max_bytes = 64 << 10}, 1);
    fence gate;
    tier.put(item("first"), gate, stripe);
    CHECK(tier.pin("a", hash, ms, held).freshness == freshness::fresh);

    tier.put(item("second"), gate, stripe);
    CHECK(held.view() == "first");
    tier.erase("a", hash);
    for (int i = 0; i < 2000; ++i) {
      const auto key = std::to_string(i);
      tier.put({key, key_hash(key, 0), std::string(100, 'x'), 0, 1000 * ms, 1, false}, gate,
               stripe);
    }
    CHECK(held.view() == "first");
  }
  CHECK(held.view() == "first");
}

TEST_CASE("readers find whole values of their own keys while writers set, erase, evict and clear") {
  constexpr std::size_t max_bytes = 128 << 10;
  constexpr int keys = 400, rounds = 8000;
  memory_tier tier({.max_bytes = max_bytes, .shards = 2}, 1);
  fence gate;
  std::atomic<int> writing{2}, wrong{0}, hits{0};
  std::barrier start(5);
  std::atomic<std::int64_t> now{0};
  std::vector<std::jthread> threads;
  for (unsigned id = 0; id < 2; ++id) {
    threads.emplace_back([&, id] {
      std::mt19937 random(id);
      start.arrive_and_wait();
      for (int i = 0; i < rounds; ++i) {
        const auto key = std::to_string(random() % keys);
        const auto at = key_hash(key, 0);
        if (random() % 8 == 0) {
          tier.erase(key, at);
        } else {
          const auto value = value_of(key, random() % 600);
          const auto time = now.fetch_add(ms / 4);
          tier.put({key, at, value, time, time + 400 * ms, 1, false}, gate, stripe);
        }
        if (random() % 2000 == 0) tier.clear();
      }
      --writing;
    });
  }
  for (unsigned id = 0; id < 2; ++id) {
    threads.emplace_back([&, id] {
      std::mt19937 random(100 + id);
      std::vector<std::pair<std::string, pinned_bytes>> held(16);
      start.arrive_and_wait();
      for (int i = 0; i < rounds || writing > 0; ++i) {
        const auto key = std::to_string(random() % keys);
        const auto at = key_hash(key, 0);
        std::string copy;
        if (tier.find(key, at, now, copy).freshness == freshness::fresh) {
          ++hits;
          if (!is_value_of(key, copy)) ++wrong;
        }
        auto& [held_key, pinned] = held[random() % held.size()];
        if (!held_key.empty() && !is_value_of(held_key, pinned.view())) ++wrong;
        held_key.clear();
        if (tier.pin(key, at, now, pinned).freshness == freshness::fresh) held_key = key;
      }
    });
  }
  start.arrive_and_wait();
  while (writing > 0) {
    if (tier.counts(now).bytes > max_bytes) ++wrong;
    std::this_thread::yield();
  }
  threads.clear();

  CHECK(wrong == 0);
  CHECK(hits > 0);
  CHECK(tier.counts(now).bytes <= max_bytes);
}

TEST_CASE("a value that is set again and again is found by every reader, old or new") {
  memory_tier tier({.max_bytes = 1 << 20}, 1);
  fence gate;
  tier.put(item("0"), gate, stripe);
  std::atomic<bool> stop{false};
  std::atomic<int> missed{0};
  std::jthread reader([&] {
    while (!stop) {
      std::string found;
      if (tier.find("a", hash, ms, found).freshness != freshness::fresh) ++missed;
    }
  });

  for (int i = 0; i < 20'000; ++i) {
    tier.put(item(std::to_string(i)), gate, stripe);
    if (i % 20 != 0) continue;
    // The index grows under the reader.
    const auto key = "other" + std::to_string(i);
    tier.put({key, key_hash(key, 0), "v", 0, 1000 * ms, 1, false}, gate, stripe);
  }
  stop = true;
  reader.join();

  CHECK(missed == 0);
}
