#include "cache/memory_shard.hpp"

#include "cache/hash.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

using namespace scalekit::cache::detail;

namespace {

constexpr std::int64_t ms = 1'000'000, second = 1000 * ms, minute = 60 * second;

struct fixture {
  explicit fixture(std::size_t max_bytes, std::uint64_t seed = 1) : shard(max_bytes, gate, seed) {}

  bool put(const std::string& key, const std::string& value, std::int64_t life = 60 * minute) {
    return shard.put({key, key_hash(key, 0), value, now, now + life, 1, false});
  }
  bool has(const std::string& key) { return get(key) != "-"; }
  std::string get(const std::string& key) {
    const reader_gate::read_section inside(gate);
    auto* entry = shard.find(key, key_hash(key, 0), now);
    return entry ? std::string(entry->value()) : "-";
  }
  void erase(const std::string& key) { shard.erase(key, key_hash(key, 0)); }
  /// What cache-aside does. Whether it was there.
  bool ask(const std::string& key, const std::string& value) {
    if (has(key)) return true;
    put(key, value);
    return false;
  }

  reader_gate gate;
  memory_shard shard;
  std::int64_t now = 0;
};

}  // namespace

TEST_CASE("a shard agrees with a map, and never holds more bytes than it may") {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    constexpr std::size_t max_bytes = 32 << 10;
    fixture f(max_bytes, seed);
    std::map<std::string, std::pair<std::string, std::int64_t>> newest;
    std::mt19937_64 random(seed);

    for (int step = 0; step < 40'000; ++step) {
      const auto key = "key" + std::to_string(random() % 900);
      switch (random() % 8) {
        case 0:
        case 1:
        case 2: {
          std::string value(random() % (step % 100 == 0 ? 20'000 : 150), 'v');
          value += std::to_string(step);
          const auto life = static_cast<std::int64_t>(1 + random() % 4000) * ms;
          const bool kept = f.put(key, value, life);
          newest[key] = {kept ? value : "-", f.now + life};
          if (kept) REQUIRE(f.get(key) == value);
          break;
        }
        case 3:
          f.erase(key);
          newest[key] = {"-", 0};
          break;
        case 4:
          f.now += static_cast<std::int64_t>(random() % 20) * ms;
          f.shard.advance(f.now);
          break;
        default: {
          const auto found = f.get(key);
          if (found != "-") {
            REQUIRE(found == newest[key].first);
            REQUIRE(f.now < newest[key].second);
          }
        }
      }
      REQUIRE(f.shard.bytes() <= max_bytes);
    }
    CHECK(f.shard.counts().evicted > 0);
    CHECK(f.shard.counts().expired > 0);
    CHECK(f.shard.counts().oversized > 0);

    f.shard.clear();
    CHECK(f.shard.counts().entries == 0);
  }
}

TEST_CASE("an expired entry is not found, and gives its bytes back without being asked for") {
  fixture f(64 << 10);
  const auto empty = f.shard.bytes();
  for (int i = 0; i < 100; ++i) f.put("short" + std::to_string(i), std::string(100, 's'), second);
  f.put("long", "value", minute);

  f.now = second;
  CHECK_FALSE(f.has("short0"));
  f.now = 2 * second;
  while (!f.shard.advance(f.now)) {
  }
  CHECK(f.shard.counts().entries == 1);
  CHECK(f.shard.counts().expired == 100);
  CHECK(f.shard.counts().evicted == 0);
  CHECK(f.shard.bytes() < empty + 8192);
  CHECK(f.get("long") == "value");

  // However long nobody came.
  f.now = 100'000 * minute;
  while (!f.shard.advance(f.now)) {
  }
  CHECK(f.shard.counts().entries == 0);
}

TEST_CASE("an entry that is written again lives by its newest time") {
  fixture f(64 << 10);
  f.put("a", "old", second);
  f.put("a", "new", minute);

  f.now = 10 * second;
  f.shard.advance(f.now);
  CHECK(f.get("a") == "new");
  f.put("a", "brief", second);
  f.now = 12 * second;
  f.shard.advance(f.now);
  CHECK(f.shard.counts().entries == 0);
}

TEST_CASE("a stale entry is found by who asks for it, and leaves when it is kept no longer") {
  fixture f(64 << 10);
  auto kept = [&] {
    const reader_gate::read_section inside(f.gate);
    return f.shard.find_kept("a", key_hash("a", 0), f.now) != nullptr;
  };
  f.shard.put({"a", key_hash("a", 0), "value", 0, second, 1, false, minute});

  CHECK(f.has("a"));
  CHECK(kept());
  f.now = 60 * second;
  f.shard.advance(f.now);
  CHECK_FALSE(f.has("a"));
  CHECK(kept());
  f.now = 61 * second;
  CHECK_FALSE(kept());
  f.now = 62 * second;
  f.shard.advance(f.now);
  CHECK(f.shard.counts().entries == 0);
  CHECK(f.shard.counts().expired == 1);
}

TEST_CASE("what is used survives a scan over many keys that are used once") {
  fixture f(64 << 10);
  for (int i = 0; i < 50; ++i) f.put("hot" + std::to_string(i), std::string(50, 'h'));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) f.has("hot" + std::to_string(i));
  }

  for (int i = 0; i < 2000; ++i) f.put("scan" + std::to_string(i), std::string(50, 's'));

  int alive = 0;
  for (int i = 0; i < 50; ++i) alive += f.has("hot" + std::to_string(i)) ? 1 : 0;
  CHECK(alive >= 48);
}

TEST_CASE("a loop over more keys than fit is served as far as there is room") {
  fixture f(128 << 10);
  constexpr int keys = 600;  // about a third more than fit
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < keys; ++i) f.ask(std::to_string(i), std::string(200, 'v'));
  }

  int hits = 0;
  for (int i = 0; i < keys; ++i) hits += f.ask(std::to_string(i), std::string(200, 'v')) ? 1 : 0;
  CHECK(hits > keys / 2);
}

TEST_CASE("a working set that moves on is followed") {
  fixture f(128 << 10);
  std::mt19937 random(9);
  int asked = 0, hits = 0;
  for (int i = 0; i < 100'000; ++i) {
    // Of the newest 300 keys, each is asked for some dozen times and then never again.
    const auto key = i / 40 + static_cast<int>(random() % 300);
    const bool hit = f.ask(std::to_string(key), std::string(200, 'v'));
    if (i < 50'000) continue;
    ++asked;
    hits += hit ? 1 : 0;
  }

  CHECK(hits > asked * 9 / 10);
}

TEST_CASE("values of any size are kept if they fit, and leave nothing behind if not") {
  constexpr std::size_t max_bytes = 64 << 10;
  fixture f(max_bytes);
  CHECK(f.put("empty", ""));
  CHECK(f.get("empty").empty());
  CHECK(f.put("large", std::string(30'000, 'l')));
  CHECK(f.put(std::string(20'000, 'k'), "v"));
  CHECK(f.get(std::string(20'000, 'k')) == "v");
  CHECK(f.shard.bytes() <= max_bytes);

  CHECK_FALSE(f.put("large", std::string(max_bytes, 'l')));
  CHECK_FALSE(f.has("large"));
  CHECK(f.shard.counts().oversized == 1);
  CHECK(f.shard.bytes() <= max_bytes);
}

TEST_CASE("an entry costs no more than 80 bytes beside its key and its value") {
  // Whatever share of the index the last growth left unused.
  for (const std::size_t max_bytes : {2'000'000U, 2'100'000U, 2'200'000U, 2'300'000U}) {
    fixture f(max_bytes);
    constexpr std::size_t key = 18, value = 100;
    for (int i = 0; f.shard.counts().evicted < 1000; ++i) {
      const auto number = std::to_string(i);
      f.put("product:" + std::string(10 - number.size(), '0') + number, std::string(value, 'v'));
    }

    const auto counts = f.shard.counts();
    CHECK(max_bytes / counts.entries - key - value <= 80);
  }
}
