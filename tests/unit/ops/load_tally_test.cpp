#include "ops/load_tally.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using scalekit::ops::load_outcome;
using scalekit::ops::load_report;
using scalekit::ops::detail::load_tally;

namespace {

load_report report_of(const load_tally& tally, std::chrono::nanoseconds duration) {
  load_report report;
  report.duration = duration;
  tally.fill(report, 10ms);
  return report;
}

}  // namespace

TEST_CASE("outcomes are counted in their row and in the total") {
  load_tally tally({"page", "order"});
  for (int i = 0; i < 3; ++i) tally.due(0, 0ns);
  tally.due(1, 0ns);
  tally.sent(0);
  tally.ended(0, load_outcome::ok, 1ms, true);
  tally.ended(0, load_outcome::limited, 1ms, true);
  tally.ended(0, load_outcome::timeout, 1s, true);
  tally.ended(1, load_outcome::server_error, 1ms, true);

  auto report = report_of(tally, 1s);

  CHECK(report.kinds.at(0).name == "page");
  CHECK(report.kinds.at(0).counts.ok == 1);
  CHECK(report.kinds.at(0).counts.limited == 1);
  CHECK(report.kinds.at(0).counts.timeouts == 1);
  CHECK(report.kinds.at(0).counts.failed() == 1);
  CHECK(report.kinds.at(1).counts.server_errors == 1);
  CHECK(report.total.counts.due == 4);
  CHECK(report.total.counts.sent == 1);
  CHECK(report.total.counts.failed() == 2);
}

TEST_CASE("a timeout counts in the latencies, a reset does not") {
  load_tally tally({"all"});
  tally.ended(0, load_outcome::timeout, 1s, true);
  tally.ended(0, load_outcome::connection_error, 1h, true);
  tally.ended(0, load_outcome::dropped, 1h, true);

  auto report = report_of(tally, 1s);

  CHECK(report.total.latency.max == 1s);
  CHECK(report.total.service.max == 0s);
}

TEST_CASE("goodput counts what came while the schedule ran") {
  load_tally tally({"all"});
  for (int i = 0; i < 10; ++i) tally.ended(0, load_outcome::ok, 1ms, true);
  tally.ended(0, load_outcome::ok, 1ms, false);
  tally.ended(0, load_outcome::limited, 1ms, true);

  auto report = report_of(tally, 2s);

  CHECK(report.total.goodput == doctest::Approx(5));
  CHECK(report.total.counts.ok == 11);
}

TEST_CASE("a generator that is late says so") {
  load_tally punctual({"all"});
  load_tally late({"all"});
  for (int i = 0; i < 100; ++i) {
    punctual.due(0, 1ms);
    late.due(0, i < 95 ? 1ms : 20ms);
  }

  CHECK_FALSE(report_of(punctual, 1s).generator_saturated);
  CHECK(report_of(late, 1s).generator_saturated);
}

TEST_CASE("a run in which nothing happened has no rates") {
  load_tally tally({"all"});

  auto report = report_of(tally, 0s);

  CHECK(report.intended_rate == 0);
  CHECK(report.total.goodput == 0);
}
