#include "limit/gcra.hpp"

#include <doctest/doctest.h>

using scalekit::limit::detail::gcra;
using scalekit::limit::detail::nanos;

namespace {

constexpr nanos second = 1'000'000'000;

}  // namespace

TEST_CASE("the gap between calls is rounded up, so the rate is never above the limit") {
  CHECK(gcra::of(3, second, 3).interval == 333'333'334);
  CHECK(gcra::of(4, second, 4).interval == 250'000'000);
  CHECK(gcra::of(1'000'000'000, second, 1).interval == 1);
}

TEST_CASE("a key spends its burst, waits, and regains one call at a time") {
  const auto g = gcra::of(2, second, 3);
  struct step {
    nanos now;
    nanos wait;
    std::uint64_t remaining_after;
  };
  // The table of a key that is asked at each of these times and charged when it may be.
  const step steps[] = {
      {0, 0, 2},
      {0, 0, 1},
      {0, 0, 0},
      {0, second / 2, 0},
      {second / 2 - 1, 1, 0},
      {second / 2, 0, 0},
      {second / 2, second / 2, 0},
      {10 * second, 0, 2},
  };

  nanos tat = 0;
  for (const auto& s : steps) {
    CAPTURE(s.now);
    auto wait = g.wait(tat, s.now, g.interval);
    if (wait <= 0) tat = gcra::after(tat, s.now, g.interval);

    CHECK(std::max<nanos>(wait, 0) == s.wait);
    CHECK(g.remaining(tat, s.now) == s.remaining_after);
  }
}

TEST_CASE("a call with an older time never moves the arrival time back") {
  const auto g = gcra::of(1, second, 1);
  auto tat = gcra::after(0, 5 * second, g.interval);

  CHECK(g.wait(tat, 4 * second, g.interval) == 2 * second);
  CHECK(g.remaining(tat, 4 * second) == 0);
  CHECK(gcra::after(tat, 4 * second, 0) == tat);
}
