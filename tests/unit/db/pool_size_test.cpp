#include "db/pool/pool_size.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using scalekit::time_point;
using scalekit::db::pool_params;
using scalekit::db::detail::pool_size;

namespace {

constexpr time_point start = time_point{} + 1h;
constexpr pool_params params{.min = 4, .max = 20};

/// The size after `busy` were in use and `waiting` waited for `d`, asked every 10 ms.
std::size_t after(pool_size& size, time_point& now, std::size_t busy, std::size_t waiting,
                  std::chrono::milliseconds d) {
  for (auto end = now + d; now < end;) {
    now += 10ms;
    size.account(busy, now);
    if (waiting > 0) size.consider_growing(waiting);
    size.consider_shrinking();
  }
  return size.value();
}

}  // namespace

TEST_CASE("a pool begins at its min and grows by a quarter while more than 0.8 is in use") {
  pool_size size(params, start);
  auto now = start;

  CHECK(size.value() == 4);
  CHECK(after(size, now, 4, 1, 240ms) == 4);
  CHECK(after(size, now, 4, 3, 10ms) == 5);
  CHECK(size.last_change().text == "grew 4 -> 5: 1.00 of 4 in use over 250 ms, 3 waiting");
  CHECK(after(size, now, 4, 3, 10s) == 5);  // 0.8 is not above 0.8.
  CHECK(after(size, now, 20, 3, 10s) == 20);
  CHECK(size.growth_due() == time_point::max());
}

TEST_CASE("it shrinks by a quarter while less than 0.3 is in use and nobody waits") {
  pool_size size(params, start);
  auto now = start;
  REQUIRE(after(size, now, 20, 1, 10s) == 20);

  // The window in which somebody waited does not count.
  CHECK(after(size, now, 4, 0, 11s) == 20);
  CHECK(after(size, now, 4, 0, 4s) == 15);
  CHECK(size.last_change().text == "shrank 20 -> 15: 0.20 of 20 in use over 10 s");
  CHECK(after(size, now, 4, 0, 10s) == 11);
  CHECK(after(size, now, 4, 0, 100s) == 11);  // 4 of 11 is enough.
  CHECK(after(size, now, 0, 0, 100s) == 4);
  CHECK(size.shrink_due() == time_point::max());
}

TEST_CASE("no steady use makes it grow and shrink in turn") {
  for (std::size_t busy = 1; busy <= 20; ++busy) {
    pool_size size(params, start);
    auto now = start;
    after(size, now, busy, 1, 10s);
    const auto settled = after(size, now, busy, 0, 200s);

    const auto changed = size.last_change().when;
    CAPTURE(busy);
    after(size, now, std::min(busy, settled), 0, 200s);

    CHECK(size.last_change().when == changed);
  }
}

TEST_CASE("a wait within the window keeps it from shrinking") {
  pool_size size(params, start);
  auto now = start;
  REQUIRE(after(size, now, 20, 1, 10s) == 20);

  after(size, now, 1, 0, 9s);
  after(size, now, 1, 1, 10ms);

  CHECK(after(size, now, 1, 0, 5s) == 20);
}

TEST_CASE("a quiet hour does not hide a burst") {
  pool_size size(params, start);
  auto now = start;
  after(size, now, 0, 0, 3'600'000ms);

  CHECK(after(size, now, 4, 5, 270ms) == 5);
}

TEST_CASE("limits move the size into their range, and say why") {
  pool_size size(params, start);

  size.set_limits(8, 16, "settings");
  CHECK(size.value() == 8);
  CHECK(size.last_change().text == "raised 4 -> 8: settings");
  size.set_limits(0, 3, "fleet");

  CHECK(size.value() == 3);
  CHECK(size.last_change().text == "limited 8 -> 3: fleet");
}

TEST_CASE("without adapting, the size is max") {
  pool_size size({.min = 4, .max = 20, .adaptive = false}, start);
  auto now = start;

  CHECK(size.value() == 20);
  CHECK(after(size, now, 0, 0, 100s) == 20);
  size.set_limits(0, 3, "fleet");
  CHECK(size.value() == 3);
}
