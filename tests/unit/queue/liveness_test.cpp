#include "queue/liveness_watch.hpp"
#include "queue/pulse.hpp"
#include "scalekit/queue/worker_params.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <vector>

using namespace scalekit;
using namespace scalekit::queue::detail;
using namespace std::chrono_literals;

namespace {

const time_point start = time_point{} + 1h;

worker_sighting sighting(std::int64_t id, std::int64_t beats) {
  return {.id = id, .beats = beats, .stale_after_us = 10'000'000};
}

/// Looks once a second at one worker whose counter stands at `beats`.
std::size_t deaths(liveness_watch& watch, std::int64_t beats, int from_second, int to_second) {
  std::size_t dead = 0;
  for (int s = from_second; s < to_second; ++s) {
    const std::vector seen{sighting(1, beats)};
    dead += watch.look(seen, start + std::chrono::seconds{s}).size();
  }
  return dead;
}

}  // namespace

TEST_CASE("a worker whose heartbeat stands still is dead after its time, and no earlier") {
  liveness_watch watch(1s);

  CHECK(deaths(watch, 5, 0, 10) == 0);
  CHECK(deaths(watch, 5, 10, 11) == 1);
}

TEST_CASE("a heartbeat that moves starts the time anew") {
  liveness_watch watch(1s);

  CHECK(deaths(watch, 5, 0, 10) == 0);
  CHECK(deaths(watch, 6, 10, 20) == 0);
  CHECK(deaths(watch, 6, 20, 21) == 1);
}

TEST_CASE("a watcher that was itself paused has no evidence") {
  liveness_watch watch(1s);
  deaths(watch, 5, 0, 3);

  // An hour in which it saw nothing counts as two periods.
  CHECK(deaths(watch, 5, 3600, 3605) == 0);
}

TEST_CASE("a worker that was away from the register begins anew") {
  liveness_watch watch(1s);
  deaths(watch, 5, 0, 9);
  watch.look({}, start + 9s);

  CHECK(deaths(watch, 5, 10, 20) == 0);
}

TEST_CASE("each worker is judged by its own setting") {
  liveness_watch watch(1s);
  const std::vector<worker_sighting> seen{{.id = 1, .beats = 1, .stale_after_us = 3'000'000},
                                          {.id = 2, .beats = 1, .stale_after_us = 60'000'000}};
  watch.look(seen, start);
  for (int s = 1; s < 3; ++s) watch.look(seen, start + std::chrono::seconds{s});

  const auto dead = watch.look(seen, start + 3s);

  REQUIRE(dead.size() == 1);
  CHECK(dead[0].id == 1);
}

TEST_CASE("a worker that cannot beat stops claiming, then stops its handlers, before it is dead") {
  pulse p(3s, 10s, start);
  CHECK(p.may_claim(start + 1s));
  CHECK_FALSE(p.is_due(start + 2s));
  CHECK(p.is_due(start + 3s));

  p.missed(start + 3s);
  CHECK_FALSE(p.may_claim(start + 3s));
  CHECK(p.is_due(start + 4s));
  CHECK_FALSE(p.is_doubtful(start + 8s));
  CHECK(p.is_doubtful(start + 9s));

  p.beaten(start + 9s);
  CHECK(p.may_claim(start + 9s));
  CHECK_FALSE(p.is_doubtful(start + 9s));
}

TEST_CASE("a worker that finds it was paused does not claim before it has beaten again") {
  pulse p(3s, 10s, start);

  CHECK_FALSE(p.may_claim(start + 6s));
  CHECK(p.is_doubtful(start + 1h));
}

TEST_CASE("with the default settings a dead worker's jobs run elsewhere within 15 s") {
  const queue::worker_params defaults;
  const std::chrono::nanoseconds period = watch_period(defaults);
  const auto stale_after_us = std::chrono::microseconds{defaults.stale_after}.count();
  std::chrono::nanoseconds longest{0};

  // It dies just after a heartbeat; the watcher looks on time or late, at any phase to that.
  for (const auto late : {0ms, 250ms, 500ms}) {
    for (auto phase = 0ns; phase < period + late; phase += 50ms) {
      liveness_watch watch(period);
      const auto death = start + defaults.heartbeat_interval;
      auto now = start + phase;
      for (bool is_dead = false; !is_dead; now += period + late) {
        const std::vector<worker_sighting> seen{
            {.id = 1, .beats = now < death ? 1 : 2, .stale_after_us = stale_after_us}};
        is_dead = !watch.look(seen, now).empty();
        if (is_dead) longest = std::max(longest, now - death);
        REQUIRE(now - death < 1min);
      }
    }
  }

  CHECK(longest >= defaults.stale_after);
  CHECK(longest + defaults.poll_most < 15s);
}
