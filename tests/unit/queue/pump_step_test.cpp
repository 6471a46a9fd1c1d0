#include "queue/pump_step.hpp"

#include <doctest/doctest.h>

using namespace scalekit;
using namespace scalekit::queue::detail;
using namespace std::chrono_literals;
using action = pump_step::action;

namespace {

const time_point now = time_point{} + 1h;

pump_view idle() {
  return {.now = now,
          .load = {.concurrency = 8, .max_batch = 256},
          .open = true,
          .look_at = now + 300ms};
}

}  // namespace

TEST_CASE("with nothing to do it waits for the next look") {
  const auto step = next_step(idle());

  CHECK(step.what == action::wait);
  CHECK(step.until == now + 300ms);
}

TEST_CASE("it looks when the time has come") {
  auto v = idle();
  v.look_at = now;

  CHECK(next_step(v).what == action::look);
}

TEST_CASE("it claims when jobs are expected") {
  auto v = idle();
  v.expecting = true;

  const auto step = next_step(v);

  CHECK(step.what == action::turn);
  CHECK(step.claim == 8);
}

TEST_CASE("it neither claims nor looks while all handlers are busy") {
  auto v = idle();
  v.expecting = true;
  v.look_at = now;
  v.load.running = 8;

  const auto step = next_step(v);

  CHECK(step.what == action::wait);
  CHECK(step.until > now + 1min);
}

TEST_CASE("it does not claim when it must not, but records") {
  auto v = idle();
  v.open = false;
  v.expecting = true;
  CHECK(next_step(v).what == action::wait);

  v.load.unsettled = 1;
  const auto step = next_step(v);
  CHECK(step.what == action::turn);
  CHECK(step.claim == 0);
}

TEST_CASE("an ending waits for company while handlers are at work") {
  auto v = idle();
  v.load.running = 8;
  v.load.unsettled = 1;
  v.oldest_ending = now - 1ms;
  CHECK(next_step(v).what == action::wait);
  CHECK(next_step(v).until == now - 1ms + settle_delay);

  SUBCASE("but not for long") {
    v.oldest_ending = now - settle_delay;
  }
  SUBCASE("but not when it has company enough") {
    v.load.unsettled = 256;
  }
  SUBCASE("but not when nobody will join it") {
    v.closing = true;
  }
  SUBCASE("but not when all else is done") {
    v.load.running = 0;
  }

  CHECK(next_step(v).what == action::turn);
}

TEST_CASE("recording takes the chance to claim") {
  auto v = idle();
  v.load.running = 4;
  v.load.unsettled = 4;
  v.oldest_ending = now - 1s;

  CHECK(next_step(v).claim == 4);
}

TEST_CASE("after a failure of the database nothing is done for a while") {
  auto v = idle();
  v.expecting = true;
  v.closing = true;
  v.load.unsettled = 5;
  v.not_before = now + 40ms;

  const auto step = next_step(v);

  CHECK(step.what == action::wait);
  CHECK(step.until == now + 40ms);
}
