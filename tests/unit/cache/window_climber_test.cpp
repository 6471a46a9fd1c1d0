#include "cache/window_climber.hpp"

#include <doctest/doctest.h>

using scalekit::cache::detail::window_climber;

namespace {

constexpr std::size_t max_bytes = 1'000'000, entries = 1000, bytes = 1000;

}  // namespace

TEST_CASE("a key that comes back right after it was not admitted makes the window larger") {
  window_climber climber(max_bytes, entries);
  const auto before = climber.window_bytes();

  climber.on_rejected(7);
  climber.on_newcomer(7, bytes, entries);
  CHECK(climber.window_bytes() == before + bytes);
  climber.on_newcomer(7, bytes, entries);
  CHECK(climber.window_bytes() == before + bytes);
}

TEST_CASE("a key that comes back right after it made way makes the window smaller") {
  window_climber climber(max_bytes, entries);
  for (std::uint32_t i = 0; i < 10; ++i) {
    climber.on_rejected(i);
    climber.on_newcomer(i, bytes, entries);
  }
  const auto before = climber.window_bytes();

  climber.on_evicted(99);
  climber.on_newcomer(99, bytes, entries);
  CHECK(climber.window_bytes() == before - bytes);
}

TEST_CASE("who comes back late tells nothing about a slightly larger window") {
  window_climber climber(max_bytes, entries);
  const auto before = climber.window_bytes();

  climber.on_rejected(7);
  for (std::uint32_t i = 100; i < 100 + entries / 10; ++i) climber.on_rejected(i);
  climber.on_newcomer(7, bytes, entries);
  CHECK(climber.window_bytes() == before);
}

TEST_CASE("neither the window nor the main space is driven out") {
  window_climber climber(max_bytes, entries);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    climber.on_rejected(i);
    climber.on_newcomer(i, bytes, entries);
  }
  CHECK(climber.window_bytes() <= max_bytes / 10 * 9);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    climber.on_evicted(i);
    climber.on_newcomer(i, bytes, entries);
  }
  CHECK(climber.window_bytes() == max_bytes / 200);
}
