#include "cache/frequency_sketch.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <random>

using scalekit::cache::detail::frequency_sketch;

TEST_CASE("a key is estimated as often as it was added, up to 15") {
  frequency_sketch sketch(16'000);
  const std::uint32_t once = 0x12345678, often = 0x9abcdef0;

  sketch.add(once);
  sketch.add(often, 9);
  CHECK(sketch.estimate(once) == 1);
  CHECK(sketch.estimate(often) == 9);
  CHECK(sketch.estimate(0xdeadbeef) == 0);
  sketch.add(often, 15);
  CHECK(sketch.estimate(often) == frequency_sketch::most);
}

TEST_CASE("an estimate is never too small, and seldom too large, before the counters are halved") {
  constexpr std::size_t entries = 2000;
  frequency_sketch sketch(entries * 16);
  sketch.resize(entries);
  std::mt19937 random(5);
  std::map<std::uint32_t, int> counted;
  for (std::size_t i = 0; i < entries; ++i) {
    const auto hash = static_cast<std::uint32_t>(random());
    const int times = 1 + static_cast<int>(random() % 5);
    sketch.add(hash, times);
    counted[hash] += times;
  }

  std::size_t exact = 0;
  for (auto [hash, times] : counted) {
    REQUIRE(sketch.estimate(hash) >= times);
    exact += sketch.estimate(hash) == times ? 1U : 0U;
  }
  CHECK(exact > counted.size() * 3 / 4);
}

TEST_CASE("what was popular once is forgotten by halves") {
  constexpr std::size_t entries = 100;
  frequency_sketch sketch(entries * 16);
  sketch.resize(entries);
  const std::uint32_t popular = 42;
  sketch.add(popular, 8);

  std::mt19937 random(1);
  for (std::size_t i = 0; i < 10 * entries; ++i) sketch.add(static_cast<std::uint32_t>(random()));

  CHECK(sketch.estimate(popular) <= 8);
  for (std::size_t i = 0; i < 100 * entries; ++i) sketch.add(static_cast<std::uint32_t>(random()));
  CHECK(sketch.estimate(popular) <= 3);
}

TEST_CASE("a sketch grows with its entries up to its bound, and forgets nothing") {
  constexpr std::size_t most_bytes = 20'000;
  frequency_sketch sketch(most_bytes);
  sketch.resize(64);
  CHECK(sketch.bytes() < 2500);
  std::mt19937 random(3);
  std::map<std::uint32_t, int> counted;
  for (int i = 0; i < 60; ++i) {
    const auto hash = static_cast<std::uint32_t>(random());
    sketch.add(hash, 5);
    counted[hash] = sketch.estimate(hash);
  }

  for (std::size_t entries = 64; entries < 5000; entries += entries / 8) {
    const auto expected = sketch.bytes_for(entries);
    sketch.resize(entries);
    REQUIRE(sketch.bytes() == expected);
    REQUIRE(sketch.bytes() <= most_bytes);
  }
  CHECK(sketch.bytes() > most_bytes * 8 / 10);
  for (auto [hash, times] : counted) CHECK(sketch.estimate(hash) >= times);
}
