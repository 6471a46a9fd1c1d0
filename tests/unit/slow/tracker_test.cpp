#include "scalekit/slow/tracker.hpp"

#include "tracker_fixture.hpp"

#include <doctest/doctest.h>

#include <source_location>
#include <stdexcept>
#include <string>
#include <vector>

using namespace slow_test;

namespace {

std::vector<std::string> texts(const std::vector<statement_report>& reports) {
  std::vector<std::string> found;
  for (const auto& r : reports) found.push_back(r.text);
  return found;
}

using strings = std::vector<std::string>;

}  // namespace

TEST_CASE("statements that differ in values are counted together") {
  tracker_fixture f;

  f.call("select a from t where id = 1", {.wait = 1ms, .execute = 20ms, .fetch = 300us}, 3);
  f.call("SELECT a FROM t WHERE id = 22 -- second", {.execute = 10ms}, 4);

  auto r = f.report("select a from t where id = ?");
  CHECK(r.text == "select a from t where id = ?");
  CHECK(r.calls == 2);
  CHECK(r.rows == 7);
  CHECK(r.wait == 1ms);
  CHECK(r.execute == 30ms);
  CHECK(r.fetch == 300us);
  CHECK(r.total == 31300us);
}

TEST_CASE("percentiles are of the whole time of a call, within one percent") {
  tracker_fixture f;

  for (int i = 1; i <= 1000; ++i) {
    f.call("select 1", {.wait = std::chrono::microseconds(i / 2),
                        .execute = std::chrono::microseconds(i - i / 2)});
  }

  auto r = f.report("select 1");
  CHECK(r.p50.count() == doctest::Approx(500'000).epsilon(0.011));
  CHECK(r.p95.count() == doctest::Approx(950'000).epsilon(0.011));
  CHECK(r.p99.count() == doctest::Approx(990'000).epsilon(0.011));
  CHECK(r.max == 1ms);
}

TEST_CASE("every way a call ends is counted apart, and with its time") {
  tracker_fixture f;

  f.call("select 1", {.execute = 1ms}, 1, outcome::ok);
  f.call("select 1", {.execute = 2ms}, 0, outcome::error);
  f.call("select 1", {.execute = 4ms}, 0, outcome::timeout);
  f.call("select 1", {.execute = 8ms}, 0, outcome::cancelled);
  f.call("select 1", {.execute = 16ms}, 0, outcome::error);

  auto r = f.report("select 1");
  CHECK(r.calls == 5);
  CHECK(r.errors == 2);
  CHECK(r.timeouts == 1);
  CHECK(r.cancelled == 1);
  CHECK(r.total == 31ms);
  CHECK(f.tracker.totals().failed == 4);
}

TEST_CASE("a known text gives the same ref from any buffer, in each dialect") {
  tracker_fixture f;
  const std::string first = "select a from t where b = 1";
  const std::string second = first;

  auto ref = f.tracker.statement(first, lite);

  for (int i = 0; i < 3; ++i) {
    CHECK(f.tracker.statement(first, lite) == ref);
    CHECK(f.tracker.statement(second, lite) == ref);
  }
  const auto* comment = "select /* /* */ a */ 1";
  CHECK(f.tracker.statement(comment, dialect::postgres) != f.tracker.statement(comment, lite));
}

TEST_CASE("a buffer that is reused for another text is not mistaken") {
  tracker_fixture f;
  std::string buffer = "select a from t";
  for (int i = 0; i < 3; ++i) f.tracker.statement(buffer, lite);

  buffer[7] = 'b';

  CHECK(f.tracker.statement(buffer, lite) == f.tracker.statement("select b from t", lite));
}

TEST_CASE("an endless stream of texts takes bounded memory and leaves room for those that return") {
  tracker_fixture f({.max_texts = 16});

  for (int i = 0; i < 5000; ++i) {
    f.tracker.statement("select a from t where id = " + std::to_string(i), lite);
  }
  for (int i = 0; i < 3; ++i) f.tracker.statement("select b from t", lite);

  CHECK(f.tracker.totals().texts <= 16);
  CHECK(f.tracker.totals().texts >= 1);
  CHECK(f.tracker.totals().statements == 2);
}

TEST_CASE("statements beyond the bound are counted together and reported once") {
  tracker_fixture f({.max_statements = 2});

  for (int i = 0; i < 5; ++i) f.call("select a from t" + std::to_string(i));

  CHECK(f.tracker.totals().statements == 2);
  CHECK(f.tracker.totals().overflow_calls == 3);
  CHECK(f.tracker.overflow().calls == 3);
  CHECK(f.tracker.overflow().fingerprint == 0);
  CHECK(f.tracker.top(1, top_by::calls).front().fingerprint == 0);
  auto log = f.log.all();
  REQUIRE(log.size() == 1);
  CHECK(log[0].event == "slow.overflow");
  CHECK(log[0].fields["max_statements"] == "2");
}

TEST_CASE("a huge text is tracked by its beginning") {
  tracker_fixture f;
  std::string sql = "select a from t where b = '";
  sql.append(5'000'000, 'x');

  f.call(sql);

  CHECK(f.report("select a from t where b = 1").calls == 1);
  CHECK(f.tracker.totals().texts == 0);
}

TEST_CASE("top sorts by what was asked for") {
  tracker_fixture f;
  f.call("select often", {.execute = 1ms});
  f.call("select often", {.execute = 1ms});
  f.call("select often", {.execute = 1ms});
  f.call("select heavy", {.execute = 5ms});
  f.call("select heavy", {.execute = 5ms});
  f.call("select slow", {.execute = 7ms});
  f.call("select broken", {.execute = 1us}, 0, outcome::error);
  f.tracker.statement("select never", lite);

  CHECK(texts(f.tracker.top(2, top_by::total)) == strings{"select heavy", "select slow"});
  CHECK(texts(f.tracker.top(2, top_by::p95)) == strings{"select slow", "select heavy"});
  CHECK(texts(f.tracker.top(2, top_by::calls)) == strings{"select often", "select heavy"});
  CHECK(texts(f.tracker.top(1, top_by::errors)) == strings{"select broken"});
  CHECK(f.tracker.top(100, top_by::total).size() == 4);
  CHECK(f.tracker.top(0, top_by::total).empty());
}

TEST_CASE("call sites are told apart, busiest first, and bounded") {
  tracker_fixture f;
  f.call("select 1");
  for (int i = 0; i < 3; ++i) f.call("select 1");

  auto sites = f.report("select 1").call_sites;

  REQUIRE(sites.size() == 2);
  CHECK(sites[0].calls == 3);
  CHECK(sites[1].calls == 1);
  CHECK(sites[0].where.file.ends_with("tracker_test.cpp"));
}

TEST_CASE("calls from a ninth place are counted as elsewhere") {
  tracker_fixture f;
  f.call("select 1");
  f.call("select 1");
  f.call("select 1");
  f.call("select 1");
  f.call("select 1");
  f.call("select 1");
  f.call("select 1");
  f.call("select 1");

  f.call("select 1");

  CHECK(f.report("select 1").call_sites.size() == 8);
  CHECK(f.report("select 1").calls_elsewhere == 1);
}

TEST_CASE("first and last are told as wall times") {
  tracker_fixture f;
  const auto start = f.time.wall_now();
  f.time.advance(1s);
  f.call("select 1");
  f.time.advance(5s);
  f.call("select 1", {.execute = 1ms, .finished = f.time.now() - 2s});
  f.time.advance(100s);

  auto r = f.report("select 1");

  CHECK(r.first_seen - start == 1s);
  CHECK(r.last_seen - start == 4s);
}

TEST_CASE("reset begins anew, and refs stay good") {
  tracker_fixture f;
  auto ref = f.tracker.statement("select 1", lite);
  f.call("select 1", {.execute = 1s}, 5, outcome::error);
  f.tracker.reset();

  CHECK(f.tracker.top(10, top_by::total).empty());
  CHECK(f.tracker.totals().calls == 0);
  CHECK(f.tracker.totals().slow == 0);

  f.tracker.record(ref, {.execute = 2ms}, 1, outcome::ok, std::source_location::current(),
                   no_scope);

  auto r = f.report("select 1");
  CHECK(r.calls == 1);
  CHECK(r.errors == 0);
  CHECK(r.rows == 1);
  CHECK(r.total == 2ms);
  CHECK(r.max.count() == doctest::Approx(2'000'000).epsilon(0.011));
  CHECK(r.call_sites.size() == 1);
}

TEST_CASE("no ref and negative times do no harm") {
  tracker_fixture f;

  f.tracker.record({}, {.execute = 1s}, 1, outcome::ok, std::source_location::current(), no_scope);
  f.call("select 1", {.wait = -5s, .execute = 1ms});

  CHECK_FALSE(statement_ref());
  CHECK(f.tracker.totals().calls == 1);
  CHECK(f.tracker.totals().total == 1ms);
}

TEST_CASE("an unknown fingerprint is nothing") {
  tracker_fixture f;

  CHECK_FALSE(f.tracker.find(42).has_value());
}

TEST_CASE("settings that cannot work are refused with field, value and range") {
  auto refusal = [](tracker_params params) -> std::string {
    try {
      slow::tracker t(std::move(params));
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "accepted";
  };

  CHECK(refusal({.slow_threshold = -1ms}) ==
        "tracker_params.slow_threshold is -1 ms; legal: 0 ms to 1 h");
  CHECK(refusal({.slow_log_per_second = 0}) ==
        "tracker_params.slow_log_per_second is 0; legal: 1 to 1000000");
  CHECK(refusal({.max_statements = 0}) == "tracker_params.max_statements is 0; legal: 1 to 100000");
  CHECK(refusal({.max_texts = 1}) == "tracker_params.max_texts is 1; legal: 16 to 1000000");
  CHECK(refusal({.n_plus_one_threshold = 1}) ==
        "tracker_params.n_plus_one_threshold is 1; legal: 0 (off), 2 to 1000000");
  CHECK(refusal({.n_plus_one_window = 0ms}) ==
        "tracker_params.n_plus_one_window is 0 ms; legal: 1 ms to 1 h");
  CHECK(refusal({.time = nullptr}) == "tracker_params.time is null; legal: a clock");
  CHECK(refusal({}) == "accepted");
}
