#include "cache/tiny_lfu.hpp"

#include "cache/hash.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

using namespace scalekit::cache::detail;

namespace {

/// A cache of `capacity` entries of one size, without an index.
struct fixture {
  explicit fixture(std::size_t entries)
      : capacity(entries), policy(entries * size_of("00000000"), entries, 1) {}
  ~fixture() {
    for (auto& [key, entry] : kept) entry->drop_reference();
  }

  static memory_entry* make(const std::string& key, std::size_t value = 1000) {
    return memory_entry::make(
        {.key = key, .hash = key_hash(key, 3), .value = std::string(value, 'v')});
  }
  static std::size_t size_of(const std::string& key) {
    return memory_entry::footprint(key.size(), 1000);
  }

  /// True: it was there.
  bool ask(const std::string& key) {
    if (auto found = kept.find(key); found != kept.end()) {
      found->second->use();
      return true;
    }
    while (kept.size() >= capacity) drop(policy.victim(size_of(key)));
    kept[key] = make(key);
    policy.add(kept[key], kept.size());
    return false;
  }
  void drop(memory_entry* entry) {
    const std::string key(entry->key());
    REQUIRE(kept.at(key) == entry);
    policy.remove(entry);
    entry->drop_reference();
    kept.erase(key);
  }

  std::size_t capacity;
  tiny_lfu policy;
  std::map<std::string, memory_entry*> kept;
};

std::string key(int number) {
  auto text = std::to_string(number);
  return std::string(8 - text.size(), '0') + text;
}

}  // namespace

TEST_CASE("newcomers that are asked for once do not push out what is asked for again") {
  fixture f(100);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 90; ++i) f.ask(key(i));
  }
  for (int i = 0; i < 500; ++i) f.ask(key(1000 + i));

  int alive = 0;
  for (int i = 0; i < 90; ++i) alive += f.kept.contains(key(i)) ? 1 : 0;
  CHECK(alive >= 88);
}

TEST_CASE("who keeps coming back is admitted in the end") {
  fixture f(100);
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 100; ++i) f.ask(key(i));
  }
  // The others are not asked for any more.
  int tries = 0;
  while (tries < 50 && !f.ask(key(7777))) {
    for (int i = 0; i < 20; ++i) f.ask(key(10'000 + tries * 20 + i));
    ++tries;
  }

  CHECK(tries > 1);
  CHECK(tries < 20);
}

TEST_CASE("what is in the cache is not forgotten when the cache turns out to be larger") {
  fixture f(100);
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 90; ++i) f.ask(key(i));
    f.policy.resize(100 + static_cast<std::size_t>(round));
  }
  for (int i = 0; i < 500; ++i) f.ask(key(1000 + i));

  int alive = 0;
  for (int i = 0; i < 90; ++i) alive += f.kept.contains(key(i)) ? 1 : 0;
  CHECK(alive >= 88);
}

TEST_CASE("the newest is never the one to go at once") {
  fixture f(10);
  for (int round = 0; round < 9; ++round) {
    for (int i = 0; i < 10; ++i) f.ask(key(i));
  }

  for (int i = 100; i < 200; ++i) {
    f.ask(key(i));
    REQUIRE(f.kept.contains(key(i)));
  }
}

TEST_CASE("its bytes are those of its entries, and its victims are among them, whatever happens") {
  for (const unsigned seed : {1U, 2U, 3U}) {
    std::mt19937 random(seed);
    fixture f(64);
    for (int step = 0; step < 20'000; ++step) {
      const auto name = key(static_cast<int>(random() % 300));
      switch (random() % 10) {
        case 0:
          if (f.kept.contains(name)) f.drop(f.kept[name]);
          break;
        case 1:
          if (f.kept.contains(name)) {
            auto*& entry = f.kept[name];
            auto* newer = fixture::make(name, random() % 2000);
            f.policy.replace(entry, newer);
            entry->drop_reference();
            entry = newer;
          }
          break;
        case 2:
          if (random() % 50 == 0) f.policy.resize(32 + random() % 100);
          break;
        default:
          f.ask(name);
      }
      std::size_t bytes = 0;
      for (auto& [k, entry] : f.kept) bytes += entry->footprint();
      REQUIRE(f.policy.entry_bytes() == bytes);
    }
  }
}
