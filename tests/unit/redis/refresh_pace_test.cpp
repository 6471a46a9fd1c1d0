#include "redis/refresh_pace.hpp"

#include <doctest/doctest.h>

#include <chrono>

using namespace scalekit;
using namespace std::chrono_literals;
using scalekit::redis::detail::refresh_pace;

namespace {

const backoff_params pauses{.base = 50ms, .cap = 400ms, .full_jitter = false};
const time_point start{1h};

}  // namespace

TEST_CASE("the map is not asked for twice at a time") {
  refresh_pace pace(pauses);
  CHECK(pace.begin(start));
  CHECK_FALSE(pace.begin(start + 1h));
  pace.end(start, 0);
  CHECK_FALSE(pace.begin(start));
  CHECK(pace.begin(start + 50ms));
}

TEST_CASE("pauses grow while the map is wanted again and again") {
  refresh_pace pace(pauses);
  auto now = start;
  for (const auto pause : {50ms, 100ms, 200ms, 400ms, 400ms}) {
    REQUIRE(pace.begin(now));
    pace.end(now, 0);
    CHECK_FALSE(pace.begin(now + pause - 1ms));
    now += pause;
  }
}

TEST_CASE("after a while of peace the pauses are short again") {
  refresh_pace pace(pauses);
  auto now = start;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(pace.begin(now));
    pace.end(now, 0);
    now += 400ms;
  }
  now += 400ms;
  REQUIRE(pace.begin(now));
  pace.end(now, 0);
  CHECK(pace.begin(now + 50ms));
}
