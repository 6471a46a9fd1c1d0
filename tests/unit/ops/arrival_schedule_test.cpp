#include "scalekit/ops/arrival_schedule.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using namespace std::chrono_literals;
using scalekit::ops::arrival_schedule;
using scalekit::ops::load_stage;
using scalekit::ops::spacing;
using std::chrono::nanoseconds;

namespace {

std::vector<nanoseconds> all(arrival_schedule schedule) {
  std::vector<nanoseconds> times;
  while (auto next = schedule.next()) times.push_back(*next);
  return times;
}

double count_between(const std::vector<nanoseconds>& times, nanoseconds from, nanoseconds to) {
  return static_cast<double>(std::count_if(times.begin(), times.end(),
                                           [&](nanoseconds t) { return t >= from && t < to; }));
}

}  // namespace

TEST_CASE("constant spacing at a constant rate is a metronome that starts at once") {
  auto times = all({{{.duration = 2s, .rate = 4}}, spacing::constant, 1});

  CHECK(times ==
        std::vector<nanoseconds>{0ms, 250ms, 500ms, 750ms, 1000ms, 1250ms, 1500ms, 1750ms});
}

TEST_CASE("a linear ramp puts the n-th arrival where the area under the rate is n") {
  // rate(t) = 10 t over 2 s, so that 5 t^2 = n.
  auto times = all({{{.duration = 2s, .rate = 20, .ramp_from = 0}}, spacing::constant, 1});

  REQUIRE(times.size() == 20);
  for (std::size_t n = 0; n < times.size(); ++n) {
    double expected = std::sqrt(static_cast<double>(n) / 5);
    CHECK(std::chrono::duration<double>(times[n]).count() == doctest::Approx(expected));
  }
}

TEST_CASE("a ramp down mirrors the ramp up") {
  auto up = all({{{.duration = 1s, .rate = 100, .ramp_from = 0}}, spacing::constant, 1});
  auto down = all({{{.duration = 1s, .rate = 0, .ramp_from = 100}}, spacing::constant, 1});

  CHECK(up.size() == down.size());
  CHECK(count_between(up, 0s, 500ms) == doctest::Approx(12.5).epsilon(0.1));
  CHECK(count_between(down, 0s, 500ms) == doctest::Approx(37.5).epsilon(0.1));
}

TEST_CASE("stages follow one another, and a rate of zero is a pause") {
  std::vector<load_stage> stages = {
      {.duration = 1s, .rate = 10}, {.duration = 3s, .rate = 0}, {.duration = 1s, .rate = 5}};
  arrival_schedule schedule(stages, spacing::constant, 1);

  auto times = all(schedule);

  CHECK(schedule.duration() == 5s);
  CHECK(schedule.expected() == doctest::Approx(15));
  CHECK(count_between(times, 0s, 1s) == 10);
  CHECK(count_between(times, 1s, 4s) == 0);
  CHECK(count_between(times, 4s, 5s) == 5);
}

TEST_CASE("poisson arrivals have the rate's mean and exponential gaps") {
  constexpr double rate = 1000;

  auto times = all({{{.duration = 20s, .rate = rate}}, spacing::poisson, 7});

  // Standard deviation of a Poisson count of 20,000: 141.
  CHECK(times.size() == doctest::Approx(20'000).epsilon(0.04));
  CHECK(std::is_sorted(times.begin(), times.end()));
  // A gap is longer than its mean with probability 1/e.
  std::size_t longer = 0;
  for (std::size_t i = 1; i < times.size(); ++i) longer += times[i] - times[i - 1] > 1ms;
  CHECK(static_cast<double>(longer) / static_cast<double>(times.size()) ==
        doctest::Approx(std::exp(-1)).epsilon(0.04));
}

TEST_CASE("the seed decides the schedule") {
  std::vector<load_stage> stages = {{.duration = 1s, .rate = 100}};

  auto once = all({stages, spacing::poisson, 1});

  CHECK(once == all({stages, spacing::poisson, 1}));
  CHECK(once != all({stages, spacing::poisson, 2}));
}

TEST_CASE("a stage that cannot work is refused with its field's name") {
  auto make = [](std::vector<load_stage> stages) {
    return arrival_schedule(std::move(stages), spacing::constant, 1);
  };

  CHECK_THROWS_WITH(make({}), "arrival_schedule.stages is empty; legal: at least one stage");
  CHECK_THROWS_AS(make({{.duration = 0s, .rate = 1}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{.duration = 25h, .rate = 1}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{.duration = 1s, .rate = -1}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{.duration = 1s, .rate = NAN}}), std::invalid_argument);
  CHECK_THROWS_AS(make({{.duration = 1s, .rate = 1, .ramp_from = 2e6}}), std::invalid_argument);
}
