#include "scalekit/ops/load_report.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <string>

using namespace std::chrono_literals;
using scalekit::ops::load_report;
using scalekit::ops::to_json;
using scalekit::ops::to_text;

namespace {

load_report example() {
  load_report report;
  report.duration = 10s;
  report.intended_rate = 100;
  report.achieved_rate = 100;
  report.total.name = "total";
  report.total.counts = {.due = 1000, .sent = 1000, .ok = 990, .limited = 10};
  report.total.goodput = 99;
  report.total.latency = {
      .p50 = 1234us, .p95 = 12340us, .p99 = 123400us, .p999 = 1234ms, .max = 2s};
  report.total.service = {.p50 = 1ms, .p95 = 2ms, .p99 = 3ms, .p999 = 4ms, .max = 5ms};
  report.lateness.p99 = 120us;
  report.generator_cpu = 0.12;
  report.kinds = {report.total};
  report.kinds[0].name = "all";
  return report;
}

}  // namespace

TEST_CASE("the table shows one row and only the outcomes that occurred") {
  CHECK(to_text(example()) ==
        "requests   due  2xx  429  2xx/s  p50 ms  p95 ms  p99 ms  p99.9 ms  max ms  service p50   "
        "p99\n"
        "total     1000  990   10   99.0    1.23    12.3     123      1234    2000         1.00  "
        "3.00\n"
        "10.0 s; 100.0/s due, 100.0/s sent; generator late by 0.12 ms at p99, 12 % of a "
        "processor\n");
}

TEST_CASE("several kinds have a row each above the total") {
  auto report = example();
  report.kinds.push_back(report.kinds[0]);
  report.kinds[1].name = "order";

  auto text = to_text(report);

  auto position = [&](const char* name) { return text.find(std::string("\n") + name); };
  CHECK(position("all") < position("order"));
  CHECK(position("order") < position("total"));
}

TEST_CASE("what makes a run doubtful is said in words") {
  auto report = example();
  report.generator_saturated = true;
  report.stopped = true;
  report.reconnects = 3;

  auto text = to_text(report);

  CHECK(text.find("WARNING: the generator could not keep up") != std::string::npos);
  CHECK(text.find("stopped before its end") != std::string::npos);
  CHECK(text.find("0 failed connects, 3 reconnects") != std::string::npos);
}

TEST_CASE("JSON holds the same figures under stable names") {
  auto value = boost::json::parse(to_json(example())).as_object();

  CHECK(value.at("duration_ms").as_double() == 10'000);
  CHECK(value.at("generator_saturated").as_bool() == false);
  auto& total = value.at("total").as_object();
  CHECK(total.at("counts").as_object().at("limited").to_number<int>() == 10);
  CHECK(total.at("latency").as_object().at("p99_ms").as_double() == doctest::Approx(123.4));
  CHECK(total.at("service").as_object().at("p999_ms").as_double() == doctest::Approx(4));
  CHECK(value.at("kinds").as_array().size() == 1);
}
