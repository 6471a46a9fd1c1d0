#include "scalekit/slow.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <source_location>
#include <string>
#include <thread>
#include <vector>

using namespace scalekit;
using namespace scalekit::slow;
using namespace std::chrono_literals;

namespace {

constexpr int threads = 4;
constexpr int calls_per_thread = 4000;

void run_in_threads(const std::function<void(int)>& body) {
  std::vector<std::jthread> all;
  for (int t = 0; t < threads; ++t) all.emplace_back([&body, t] { body(t); });
}

}  // namespace

TEST_CASE("no call is lost or counted twice, whatever threads do at the same time") {
  std::atomic<int> logged{0};
  slow::tracker tracker(
      {.slow_threshold = 1ms,
       .slow_log_per_second = 1'000'000,
       .max_statements = 20,
       .max_texts = 64,
       .log = log_sink([&](const log_record& r) { logged += r.event == "slow.statement"; })});
  const request_scope no_scope;

  run_in_threads([&](int t) {
    for (int i = 0; i < calls_per_thread; ++i) {
      // Known texts, texts that only repeat, and texts that never do; 8 statements too many.
      const auto sql = "select a from t" + std::to_string(i % 28) +
                       " where b = " + std::to_string(i % 3 == 0 ? i : 0);
      tracker.record(tracker.statement(sql, dialect::sqlite), {.execute = i % 100 == 0 ? 1ms : 1us},
                     1, t % 2 == 0 ? outcome::ok : outcome::error, std::source_location::current(),
                     no_scope);
    }
  });

  auto totals = tracker.totals();
  CHECK(totals.calls == threads * calls_per_thread);
  CHECK(totals.failed == threads * calls_per_thread / 2);
  CHECK(totals.statements == 20);
  CHECK(totals.texts <= 64);
  CHECK(totals.slow == threads * calls_per_thread / 100);
  CHECK(logged == threads * calls_per_thread / 100);
  std::uint64_t rows = 0;
  std::uint64_t from_sites = 0;
  for (const auto& r : tracker.top(100, top_by::calls)) {
    rows += r.rows;
    for (const auto& site : r.call_sites) from_sites += site.calls;
    from_sites += r.calls_elsewhere;
  }
  CHECK(rows == threads * calls_per_thread);
  CHECK(from_sites == threads * calls_per_thread);
}

TEST_CASE("reports and resets may be taken while calls are recorded") {
  slow::tracker tracker;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> seen{0};
  std::jthread reporter([&] {
    while (!stop) {
      for (const auto& r : tracker.top(5, top_by::p95)) CHECK(r.text == "select ?");
      tracker.n_plus_one_findings();
      tracker.totals();
      tracker.reset();
      ++seen;
    }
  });

  run_in_threads([&](int) {
    auto scope = request_scope::begin("GET /");
    for (int i = 0; i < calls_per_thread; ++i) {
      tracker.record(tracker.statement("select 1", dialect::sqlite), {.execute = 1us}, 1,
                     outcome::ok, std::source_location::current(), scope);
    }
  });
  // On a machine that is busy it may not have come to its turn yet.
  CHECK(support::wait_until([&] { return seen > 0; }));
  stop = true;
  reporter.join();

  tracker.reset();
  CHECK(tracker.totals().calls == 0);
}

TEST_CASE("calls of one request made by several threads are one group") {
  slow::tracker tracker({.n_plus_one_threshold = threads * 10});
  auto scope = request_scope::begin("GET /");
  const auto here = std::source_location::current();

  run_in_threads([&](int) {
    for (int i = 0; i < 10; ++i) {
      tracker.record(tracker.statement("select 1", dialect::sqlite), {.execute = 1us}, 1,
                     outcome::ok, here, scope, 1);
    }
  });

  auto found = tracker.n_plus_one_findings();
  REQUIRE(found.size() == 1);
  CHECK(found[0].most_calls == threads * 10);
}
