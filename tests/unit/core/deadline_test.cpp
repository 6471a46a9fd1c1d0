#include "scalekit/core/deadline.hpp"

#include "core/require.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>

using namespace std::chrono_literals;
using scalekit::deadline;
using scalekit::testing::manual_clock;

TEST_CASE("a deadline expires when its time has come, and not before") {
  manual_clock clock;
  const auto d = deadline::after(100ms, clock.now());

  clock.advance(99ms);
  CHECK_FALSE(d.expired(clock.now()));
  CHECK(d.remaining(clock.now()) == 1ms);
  clock.advance(1ms);

  CHECK(d.expired(clock.now()));
  CHECK(d.remaining(clock.now()) == 0ms);
}

TEST_CASE("no timeout, however short or long, overflows") {
  manual_clock clock;
  clock.advance(10h);
  const auto now = clock.now();

  for (auto timeout : {0ns, -1ns, std::chrono::nanoseconds::min()}) {
    CHECK(deadline::after(timeout, now).expired(now));
    CHECK(deadline::after(timeout, now).remaining(now + 1h) == 0ns);
  }
  CHECK(deadline::after(std::chrono::nanoseconds::max(), now).remaining(now) == 24h);
  CHECK(deadline::after(25h, now).remaining(now) == 24h);
  CHECK(deadline::at(scalekit::time_point::min()).remaining(now) == 0ns);
  CHECK(deadline::at(scalekit::time_point::max()).remaining(now) > 24h);
}

TEST_CASE("the earlier of two deadlines wins") {
  const scalekit::time_point t{};
  const auto soon = deadline::at(t + 1s);
  const auto late = deadline::at(t + 2s);

  CHECK(earlier(soon, late).when() == soon.when());
  CHECK(earlier(late, soon).when() == soon.when());
}

TEST_CASE("the system's clocks run, the monotonic one never backwards") {
  const auto& clock = scalekit::clock::system();

  const auto first = clock.now();
  const auto wall = clock.wall_now();

  CHECK(clock.now() >= first);
  CHECK(scalekit::to_micros(wall) > 1'700'000'000'000'000);
  CHECK(scalekit::from_micros(scalekit::to_micros(wall)) == wall);
}

TEST_CASE("a manual clock moves only when told to") {
  manual_clock clock;
  const auto steady = clock.now();
  const auto wall = clock.wall_now();

  clock.advance(1500us);
  CHECK(clock.now() - steady == 1500us);
  CHECK(clock.wall_now() - wall == 1500us);
  clock.set_wall(wall - 1h);

  CHECK(clock.now() - steady == 1500us);
  CHECK(wall - clock.wall_now() == 1h);
}

TEST_CASE("a setting out of range is told by field, value and range") {
  using scalekit::detail::require;
  using scalekit::detail::require_range;

  CHECK_NOTHROW(require_range("pool.max", 5, 1, 10));
  CHECK_NOTHROW(require_range("pool.wait", 1s, 1ms, 1s));
  CHECK_THROWS_WITH_AS(require_range("pool.max", 11u, 1, 10), "pool.max is 11; legal: 1 to 10",
                       std::invalid_argument);
  CHECK_THROWS_WITH_AS(require_range("pool.wait", 500us, 1ms, 1h),
                       "pool.wait is 500000 ns; legal: 1 ms to 3600000 ms", std::invalid_argument);
  CHECK_THROWS_WITH_AS(require(false, "name", "x y", "no blanks"), "name is x y; legal: no blanks",
                       std::invalid_argument);
}
