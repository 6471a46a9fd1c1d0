#include "cache/memory_shard.hpp"

#include "cache/hash.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

using namespace scalekit::cache::detail;
using scalekit::cache::freshness;

namespace {

struct fixture {
  explicit fixture(std::size_t max_bytes) : shard(max_bytes) {}

  bool put(const std::string& key, const std::string& value, std::int64_t expires = 1'000'000) {
    return shard.put({key, key_hash(key, 0), value, now, expires, 1, false});
  }
  bool has(const std::string& key) { return get(key) != "-"; }
  std::string get(const std::string& key) {
    std::string out = "-";
    shard.find(key, key_hash(key, 0), now, out);
    return out;
  }
  void erase(const std::string& key) { shard.erase(key, key_hash(key, 0)); }

  memory_shard shard;
  std::int64_t now = 0;
};

}  // namespace

TEST_CASE("a shard agrees with a map, and never holds more bytes than it may") {
  constexpr std::size_t max_bytes = 32 << 10;
  fixture f(max_bytes);
  std::map<std::string, std::string> newest;
  std::mt19937_64 random(7);

  for (int step = 0; step < 60'000; ++step) {
    const auto key = "key" + std::to_string(random() % 900);
    switch (random() % 8) {
      case 0:
      case 1:
      case 2: {
        std::string value(random() % (step % 100 == 0 ? 20'000 : 150), 'v');
        value += std::to_string(step);
        const bool kept = f.put(key, value);
        newest[key] = kept ? value : "-";
        if (kept) REQUIRE(f.get(key) == value);
        break;
      }
      case 3:
        f.erase(key);
        newest[key] = "-";
        break;
      default: {
        const auto found = f.get(key);
        if (found != "-") REQUIRE(found == newest[key]);
      }
    }
    REQUIRE(f.shard.bytes() <= max_bytes);
  }
  CHECK(f.shard.counts().evicted > 0);
  CHECK(f.shard.counts().oversized > 0);

  f.shard.clear();
  CHECK(f.shard.counts().entries == 0);
}

TEST_CASE("an expired entry is not found, and makes room") {
  fixture f(16 << 10);
  f.put("a", "old", 10);

  f.now = 10;
  CHECK_FALSE(f.has("a"));
  CHECK(f.shard.counts().entries == 0);
  CHECK(f.shard.counts().expired == 1);
}

TEST_CASE("what is used survives a scan over many keys that are used once") {
  fixture f(64 << 10);
  for (int i = 0; i < 50; ++i) f.put("hot" + std::to_string(i), std::string(50, 'h'));
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 50; ++i) f.has("hot" + std::to_string(i));
  }

  for (int i = 0; i < 5000; ++i) f.put("scan" + std::to_string(i), std::string(50, 's'));

  int alive = 0;
  for (int i = 0; i < 50; ++i) alive += f.has("hot" + std::to_string(i)) ? 1 : 0;
  CHECK(alive == 50);
}

TEST_CASE("a key that comes back soon after it was evicted is kept in the main queue") {
  fixture f(16 << 10);
  f.put("again", "x");
  int evicted_after = 0;
  while (f.has("again") && evicted_after < 1) {
    // The lookup above counts as one use only: newcomers push it out all the same.
    for (int i = 0; i < 300; ++i)
      f.put("n" + std::to_string(evicted_after) + std::to_string(i), "v");
    ++evicted_after;
  }
  REQUIRE_FALSE(f.has("again"));

  f.put("again", "y");
  for (int i = 0; i < 60; ++i) f.put("m" + std::to_string(i), "v");
  CHECK(f.get("again") == "y");
}
