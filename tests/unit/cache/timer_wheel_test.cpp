#include "cache/timer_wheel.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

using scalekit::cache::detail::timer_wheel;

namespace {

constexpr int all = 1'000'000;

std::vector<std::uint32_t> fired(timer_wheel& wheel, timer_wheel::tick now) {
  std::vector<std::uint32_t> timers;
  wheel.advance(now, all, [&](std::uint32_t timer) {
    timers.push_back(timer);
    return timer_wheel::never;
  });
  return timers;
}

}  // namespace

TEST_CASE("a timer fires when its time has come, once") {
  timer_wheel wheel(4, 100);
  wheel.set(2, 105);

  CHECK(fired(wheel, 104).empty());
  CHECK(fired(wheel, 105) == std::vector<std::uint32_t>{2});
  CHECK(fired(wheel, 100'000).empty());
}

TEST_CASE("of two times the earlier counts, and what is overdue fires next") {
  timer_wheel wheel(2, 100);
  wheel.set(0, 500);
  wheel.set(0, 120);
  wheel.set(0, 900);
  wheel.set(1, 7);

  CHECK(fired(wheel, 101) == std::vector<std::uint32_t>{1});
  CHECK(fired(wheel, 120) == std::vector<std::uint32_t>{0});
}

TEST_CASE("a timer goes on when it says so") {
  timer_wheel wheel(1, 0);
  wheel.set(0, 10);
  int times = 0;
  auto again = [&](std::uint32_t) {
    ++times;
    return wheel.now() + 40;
  };

  for (timer_wheel::tick now = 1; now <= 200; ++now) wheel.advance(now, all, again);
  CHECK(times == 5);  // 10, 50, 90, 130, 170
}

TEST_CASE("timers fire neither early nor late, however far off and however time is told") {
  for (const unsigned seed : {1U, 2U, 3U, 4U}) {
    std::mt19937 random(seed);
    constexpr std::uint32_t timers = 300;
    timer_wheel wheel(timers, 1000);
    std::map<std::uint32_t, timer_wheel::tick> expected;
    timer_wheel::tick now = 1000;
    for (int step = 0; step < 3000; ++step) {
      const auto timer = static_cast<std::uint32_t>(random() % timers);
      if (!expected.contains(timer)) {
        // From the next tick to ten turns of the slowest wheel.
        const auto due = now + 1 + static_cast<timer_wheel::tick>(random()) % (1U << random() % 24);
        wheel.set(timer, due);
        expected[timer] = due;
      }
      if (random() % 3 == 0)
        now += static_cast<timer_wheel::tick>(random()) % (1U << random() % 18);
      for (auto each : fired(wheel, now)) {
        REQUIRE(expected.contains(each));
        REQUIRE(expected[each] <= now);
        expected.erase(each);
      }
      REQUIRE(std::ranges::all_of(expected, [&](const auto& each) { return each.second > now; }));
    }
  }
}

TEST_CASE("a long list of due timers is worked off in parts, each timer once") {
  constexpr std::uint32_t timers = 1000;
  timer_wheel wheel(timers, 0);
  for (std::uint32_t i = 0; i < timers; ++i) wheel.set(i, 10 + i % 100);
  std::vector<int> times(timers);
  auto count = [&](std::uint32_t timer) {
    ++times[timer];
    return timer_wheel::never;
  };

  int parts = 1;
  while (!wheel.advance(5000, 64, count)) ++parts;
  CHECK(parts == 16);
  CHECK(std::ranges::count(times, 1) == timers);
}
