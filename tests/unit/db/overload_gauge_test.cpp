#include "db/pool/overload_gauge.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using scalekit::time_point;
using scalekit::db::detail::overload_gauge;

namespace {

constexpr time_point start = time_point{} + 1h;

}  // namespace

TEST_CASE("a queue stands when no wait was good for a whole interval") {
  overload_gauge gauge(50ms, 2s);
  gauge.relieved(start);

  gauge.served(500ms, start + 1s);
  CHECK_FALSE(gauge.too_old(10s, start + 1999ms));
  CHECK(gauge.too_old(101ms, start + 2s));
  CHECK_FALSE(gauge.too_old(100ms, start + 2s));
}

TEST_CASE("one good wait ends the shedding for an interval") {
  overload_gauge gauge(50ms, 2s);
  gauge.relieved(start);
  REQUIRE(gauge.too_old(200ms, start + 3s));

  gauge.served(51ms, start + 3s);
  CHECK(gauge.too_old(200ms, start + 3s));
  gauge.served(50ms, start + 3s);

  CHECK_FALSE(gauge.too_old(200ms, start + 4999ms));
  CHECK(gauge.too_old(200ms, start + 5s));
}

TEST_CASE("without a target there is no overload") {
  overload_gauge gauge(0ms, 2s);

  CHECK_FALSE(gauge.too_old(24h, start + 24h));
  CHECK(gauge.stands_at() == time_point::max());
}
