#include "cache/entry_index.hpp"

#include "cache/hash.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

using namespace scalekit::cache::detail;

namespace {

memory_entry* made(const std::string& key) {
  return memory_entry::make({.key = key, .hash = key_hash(key, 0), .value = "v"});
}

memory_entry* found(const entry_index& index, const std::string& key) {
  return index.find(key, key_hash(key, 0));
}

/// A few hashes for all keys: chunks overflow, and tags are alike.
std::uint64_t crowded_hash(const std::string& key) {
  return (key_hash(key, 0) % 5) * 0x3000'0000'0000 + (key_hash(key, 1) % 3) * 0x5555'5555;
}

}  // namespace

TEST_CASE("an index agrees with a map while it grows and shrinks") {
  entry_index index;
  std::map<std::string, memory_entry*> expected;
  std::mt19937 random(11);

  for (int step = 0; step < 40'000; ++step) {
    const auto key = "key" + std::to_string(random() % (step < 20'000 ? 3000 : 100));
    auto* entry = found(index, key);
    REQUIRE(entry == (expected.contains(key) ? expected[key] : nullptr));
    switch (random() % 3) {
      case 0:
        if (entry) {
          auto* newer = made(key);
          index.replace(entry, newer);
          entry->drop_reference();
          expected[key] = newer;
        } else {
          if (index.is_full()) index.resize(index.larger(), [](auto*, auto) {});
          index.add(expected[key] = made(key), key_hash(key, 0));
        }
        break;
      case 1:
        if (entry) {
          index.remove(entry);
          entry->drop_reference();
          expected.erase(key);
        }
        if (index.is_sparse()) index.resize(index.smaller(), [](auto*, auto) {});
        break;
      default:
        break;
    }
    REQUIRE(index.size() == expected.size());
  }
  for (auto [key, entry] : expected) {
    REQUIRE(found(index, key) == entry);
    entry->drop_reference();
  }
}

TEST_CASE("keys whose hashes collide are told apart, wherever they overflow to") {
  entry_index index;
  std::map<std::string, memory_entry*> expected;
  std::mt19937 random(12);

  for (int step = 0; step < 5000; ++step) {
    const auto key = "k" + std::to_string(random() % 120);
    const auto hash = crowded_hash(key);
    auto* entry = index.find(key, hash);
    REQUIRE(entry == (expected.contains(key) ? expected[key] : nullptr));
    if (entry) {
      index.remove(entry);
      entry->drop_reference();
      expected.erase(key);
    } else {
      if (index.is_full()) index.resize(index.larger(), [](auto*, auto) {});
      index.add(expected[key] = memory_entry::make({.key = key, .hash = hash, .value = {}}), hash);
    }
  }
  for (auto [key, entry] : expected) entry->drop_reference();
}

TEST_CASE("each entry is in the chunk that it was said to be in") {
  entry_index index;
  std::map<const memory_entry*, std::uint32_t> chunk_of;
  std::vector<memory_entry*> entries;
  for (int i = 0; i < 500; ++i) {
    const auto key = std::to_string(i);
    if (index.is_full()) {
      index.resize(index.larger(), [&](auto* entry, auto chunk) { chunk_of[entry] = chunk; });
    }
    entries.push_back(made(key));
    chunk_of[entries.back()] = index.add(entries.back(), key_hash(key, 0));
  }

  std::size_t seen = 0;
  for (std::uint32_t chunk = 0; chunk < index.chunks(); ++chunk) {
    index.for_each_in(chunk, [&](memory_entry* entry) {
      ++seen;
      REQUIRE(chunk_of[entry] == chunk);
    });
  }
  CHECK(seen == entries.size());
  for (auto* entry : entries) entry->drop_reference();
}
