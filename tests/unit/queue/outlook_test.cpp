#include "queue/outlook.hpp"

#include <doctest/doctest.h>

using namespace scalekit;
using namespace scalekit::queue::detail;
using namespace std::chrono_literals;

namespace {

const time_point start = time_point{} + 1h;

}  // namespace

TEST_CASE("an idle worker looks ever less often, down to the slowest pace") {
  poll_pace pace(50ms, 1s);

  CHECK(pace.next(0) == 50ms);
  CHECK(pace.next(0) == 100ms);
  CHECK(pace.next(0) == 200ms);
  for (int i = 0; i < 10; ++i) pace.next(0);
  CHECK(pace.next(0) == 1s);

  pace.quicken();
  CHECK(pace.next(0) == 50ms);
}

TEST_CASE("pauses are spread over half of their bound") {
  for (std::uint64_t random = 0; random < 1000; ++random) {
    poll_pace pace(50ms, 1s);
    const auto pause = pace.next(random * 0x9e3779b97f4a7c15);
    CHECK(pause > 25ms);
    CHECK(pause <= 50ms);
  }
}

TEST_CASE("a worker begins by claiming") {
  CHECK(outlook(50ms, 1s).expecting());
}

TEST_CASE("a claim that was filled to the brim leads to the next one") {
  outlook o(50ms, 1s);
  o.claiming();
  CHECK_FALSE(o.expecting());

  o.claimed(256, 256, start, 0);

  CHECK(o.expecting());
}

TEST_CASE("a claim that found less is followed by a look, which learns of delayed jobs") {
  outlook o(50ms, 1s);
  o.claiming();

  o.claimed(3, 256, start, 0);
  CHECK_FALSE(o.expecting());
  CHECK(o.look_at() == start);

  o.looked(false, 20ms, start, 0);
  CHECK(o.look_at() == start + 20ms);
}

TEST_CASE("what is told while a claim is under way is not forgotten") {
  outlook o(50ms, 1s);
  o.claiming();

  o.told();
  o.claimed(0, 256, start, 0);

  CHECK(o.expecting());
}

TEST_CASE("a look that promises what no claim gets does not lead to a busy loop") {
  outlook o(50ms, 1s);
  o.claiming();
  o.claimed(0, 8, start, 0);
  o.looked(true, {}, start, 0);
  CHECK(o.expecting());

  o.claiming();
  o.claimed(0, 8, start, 0);

  CHECK_FALSE(o.expecting());
  CHECK(o.look_at() >= start + 25ms);
}

TEST_CASE("a worker that is forewarned looks at its fastest pace") {
  outlook o(50ms, 1s);
  o.claiming();
  o.claimed(0, 8, start, 0);
  for (int i = 0; i < 10; ++i) o.looked(false, {}, start, 0);
  CHECK(o.look_at() == start + 1s);

  o.forewarned(start);

  CHECK(o.look_at() == start + 50ms);
}

TEST_CASE("a delayed job that is overdue is looked for at once") {
  outlook o(50ms, 1s);

  o.looked(false, -5s, start, 0);

  CHECK(o.look_at() == start);
}
