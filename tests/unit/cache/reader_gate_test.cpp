#include "cache/reader_gate.hpp"

#include "cache/retired_entries.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace scalekit::cache::detail;

TEST_CASE("a grace period lasts until those have left who were inside") {
  reader_gate gate;
  reader_gate::grace_period grace;
  std::optional<reader_gate::read_section> before(std::in_place, gate);

  grace.start();
  CHECK_FALSE(grace.is_over(gate));
  CHECK_FALSE(grace.is_over(gate));
  // Whoever comes later is not waited for.
  reader_gate::read_section after(gate);
  before.reset();
  CHECK(grace.is_over(gate));
  CHECK(grace.is_over(gate));

  grace.start();
  CHECK_FALSE(grace.is_over(gate));
}

TEST_CASE("each thread has a lane to itself while there are any, and gives it back") {
  constexpr std::size_t threads = reader_lane::count + 4;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::atomic<int>> users(reader_lane::count);
    std::barrier all_have_one(threads);
    {
      std::vector<std::jthread> running;
      for (std::size_t i = 0; i < threads; ++i) {
        running.emplace_back([&] {
          ++users[reader_lane::mine()];
          all_have_one.arrive_and_wait();
        });
      }
    }
    for (std::size_t lane = 0; lane < reader_lane::shared; ++lane) CHECK(users[lane] <= 1);
  }
}

TEST_CASE("readers who share a lane are all waited for") {
  reader_gate gate;
  constexpr std::ptrdiff_t threads = reader_lane::count + 4;
  std::barrier inside(threads + 1), leave(threads + 1);
  std::vector<std::jthread> running;
  for (std::ptrdiff_t i = 0; i < threads; ++i) {
    running.emplace_back([&] {
      const reader_gate::read_section section(gate);
      inside.arrive_and_wait();
      leave.arrive_and_wait();
    });
  }
  inside.arrive_and_wait();

  reader_gate::grace_period grace;
  grace.start();
  CHECK_FALSE(grace.is_over(gate));
  leave.arrive_and_wait();
  running.clear();
  CHECK(grace.is_over(gate));
}

TEST_CASE("nobody inside is no time at all") {
  reader_gate gate;
  reader_gate::grace_period grace;
  grace.start();

  CHECK(grace.is_over(gate));
}

TEST_CASE("retired entries keep their bytes until the readers that may see them have left") {
  reader_gate gate;
  retired_entries retired(gate);
  std::optional<reader_gate::read_section> inside(std::in_place, gate);
  auto* entry = memory_entry::make({.key = "key", .value = "value"});
  const auto bytes = entry->footprint();

  retired.add(entry);
  retired.reclaim_to(bytes);
  CHECK(retired.bytes() == bytes);
  CHECK(entry->value() == "value");
  inside.reset();
  retired.reclaim_to(0);
  CHECK(retired.bytes() == 0);
}

TEST_CASE("readers never see what was given back, while writers never stop") {
  constexpr int rounds = 20'000;
  reader_gate gate;
  std::atomic<memory_entry*> shown{memory_entry::make({.key = "0", .value = "0"})};
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const reader_gate::read_section inside(gate);
        const auto* entry = shown.load();
        if (entry->key() != entry->value()) ++wrong;
      }
    });
  }

  retired_entries retired(gate);
  for (int i = 1; i <= rounds; ++i) {
    const auto text = std::to_string(i);
    retired.add(shown.exchange(memory_entry::make({.key = text, .value = text})));
    retired.reclaim_to(4096);
    REQUIRE(retired.bytes() <= 4096);
  }
  stop = true;
  readers.clear();

  CHECK(wrong == 0);
  shown.load()->drop_reference();
}
