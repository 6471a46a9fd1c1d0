#include "scalekit/ops/load_threshold.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace std::chrono_literals;
using scalekit::ops::load_report;
using scalekit::ops::load_threshold;

namespace {

load_report example() {
  load_report report;
  report.total.latency = {.p50 = 10ms, .p95 = 50ms, .p99 = 200ms, .p999 = 1s, .max = 3s};
  report.total.counts.due = 1000;
  report.total.counts.limited = 20;
  report.total.counts.timeouts = 10;
  report.total.goodput = 450;
  return report;
}

bool crossed(const char* text) {
  return load_threshold::parse(text).is_crossed(example());
}

}  // namespace

TEST_CASE("thresholds are crossed when the report lies beyond them") {
  CHECK(crossed("p99>199ms"));
  CHECK_FALSE(crossed("p99>200ms"));
  CHECK(crossed("p99.9 > 0.5s"));
  CHECK_FALSE(crossed("max > 3s"));
  CHECK(crossed("p50 > 9000us"));
  CHECK_FALSE(crossed("p95<50ms"));
  CHECK(crossed("failed>9"));
  CHECK_FALSE(crossed("failed > 10"));
  CHECK(crossed("failed>0.9%"));
  CHECK_FALSE(crossed("failed>1%"));
  CHECK(crossed("limited > 1.9 %"));
  CHECK(crossed("goodput < 450.5"));
  CHECK_FALSE(crossed("goodput<450"));
}

TEST_CASE("a share of no requests is zero") {
  CHECK_FALSE(load_threshold::parse("failed>0%").is_crossed(load_report{}));
}

TEST_CASE("a threshold keeps its text for the message") {
  CHECK(load_threshold::parse(" p99 > 1s").text() == " p99 > 1s");
}

TEST_CASE("what is no threshold is refused and quoted") {
  for (auto* text : {"", "p99", "p99>", "p99>200", "p99>200min", "p98>1s", "failed>1ms", "p99>=1s",
                     "goodput<10%", "p99>-1s", "p99>nan", ">1s"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(load_threshold::parse(text), std::invalid_argument);
  }
  CHECK_THROWS_WITH(load_threshold::parse("p99"), doctest::Contains("'p99'"));
}
