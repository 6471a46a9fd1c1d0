#include "scalekit/core/histogram.hpp"

#include "scalekit/core/counter.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using scalekit::histogram;
using scalekit::histogram_snapshot;
using buckets = scalekit::detail::log_buckets;
using std::chrono::nanoseconds;

namespace {

double relative_error(nanoseconds told, nanoseconds real) {
  return std::abs(static_cast<double>((told - real).count())) / static_cast<double>(real.count());
}

/// By definition: nearest rank in the sorted values.
nanoseconds exact_quantile(const std::vector<nanoseconds>& sorted, double p) {
  const auto rank = std::ceil(p * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

histogram_snapshot snapshot_of(const std::vector<nanoseconds>& values) {
  histogram h;
  for (auto v : values) h.record(v);
  return h.snapshot();
}

}  // namespace

TEST_CASE("a histogram takes the memory that was promised, and its counters no lock") {
  static_assert(sizeof(histogram) <= 11'700);
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  static_assert(std::atomic<std::int64_t>::is_always_lock_free);
  CHECK(buckets::count == 1442);
}

TEST_CASE("an empty histogram answers zero to everything") {
  const histogram_snapshot never_filled;
  const auto nothing_recorded = histogram().snapshot();

  for (const auto& s : {never_filled, nothing_recorded}) {
    CHECK(s.count() == 0);
    CHECK(s.p50() == 0ns);
    CHECK(s.quantile(1) == 0ns);
    CHECK(s.max() == 0ns);
    CHECK(s.sum() == 0ns);
    CHECK(s.mean() == 0ns);
    CHECK(s.below_range() == 0);
    CHECK(s.above_range() == 0);
  }
}

TEST_CASE("each bucket begins where the one before it ends") {
  for (std::size_t i = 1; i + 1 < buckets::count; ++i) {
    const auto first = static_cast<std::uint64_t>(std::ceil(buckets::lower_bound(i)));
    const auto next = static_cast<std::uint64_t>(std::ceil(buckets::lower_bound(i + 1)));
    if (first == next) continue;  // too narrow for an integer

    CHECK(buckets::index(first) == i);
    CHECK(buckets::index(next - 1) == i);
  }
  CHECK(buckets::index(63) == 0);
  CHECK(buckets::index(64) == 1);
  CHECK(buckets::index(buckets::past - 1) == buckets::count - 2);
  CHECK(buckets::index(buckets::past) == buckets::count - 1);
}

TEST_CASE("no bucket is wider than the 1 % bound allows") {
  constexpr double gamma = 1.01 / 0.99;

  for (std::size_t i = 1; i + 1 < buckets::count; ++i) {
    CHECK(buckets::lower_bound(i + 1) / buckets::lower_bound(i) < gamma);
  }
}

TEST_CASE("a value in range is told within 1 %") {
  // The worst cases are the first and the last value of each bucket.
  std::vector<nanoseconds> values;
  for (std::size_t i = 1; i + 1 < buckets::count; ++i) {
    values.emplace_back(static_cast<std::int64_t>(std::ceil(buckets::lower_bound(i))));
    values.emplace_back(static_cast<std::int64_t>(std::ceil(buckets::lower_bound(i + 1))) - 1);
  }

  for (auto value : values) {
    // The second value keeps the exact maximum out of the answer.
    const auto told = snapshot_of({value, 2h}).quantile(0);
    const double rounding = value < 512ns ? 0.5 / static_cast<double>(value.count()) : 0;

    CAPTURE(value.count());
    CAPTURE(told.count());
    CHECK(relative_error(told, value) <= 0.01 + rounding);
  }
}

TEST_CASE("quantiles, sum and mean of skewed latencies stay within 1 %") {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency(std::log(300'000.0), 2.0);  // median 300 us
  std::vector<nanoseconds> values(50'000);
  for (auto& v : values) v = nanoseconds(static_cast<std::int64_t>(latency(random)) + 512);
  double sum = 0;
  for (auto v : values) sum += static_cast<double>(v.count());

  const auto s = snapshot_of(values);
  std::sort(values.begin(), values.end());

  CHECK(s.count() == values.size());
  for (double p : {0.0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1.0}) {
    CAPTURE(p);
    CHECK(relative_error(s.quantile(p), exact_quantile(values, p)) <= 0.01);
  }
  CHECK(s.max() == values.back());
  CHECK(s.p50() == s.quantile(0.5));
  CHECK(s.p90() == s.quantile(0.9));
  CHECK(s.p95() == s.quantile(0.95));
  CHECK(s.p99() == s.quantile(0.99));
  CHECK(s.p999() == s.quantile(0.999));
  CHECK(std::abs(static_cast<double>(s.sum().count()) / sum - 1) <= 0.01);
  CHECK(static_cast<double>(s.mean().count()) ==
        doctest::Approx(sum / static_cast<double>(values.size())).epsilon(0.01));
}

TEST_CASE("values outside the range are clamped to its ends and counted") {
  const auto s = snapshot_of({nanoseconds::min(), -1s, 0ns, 63ns, 1s, 2h, nanoseconds::max()});

  CHECK(s.count() == 7);
  CHECK(s.below_range() == 4);
  CHECK(s.above_range() == 2);
  CHECK(s.quantile(0) == 64ns);
  CHECK(s.quantile(1) == nanoseconds::max());
  CHECK(s.max() == nanoseconds::max());
}

TEST_CASE("the sum of the longest durations does not overflow") {
  histogram h;
  h.record(2h);
  auto s = h.snapshot();

  for (int i = 0; i < 40; ++i) s.merge(histogram_snapshot(s));  // 2^40 values of 73 minutes

  CHECK(s.sum() == nanoseconds::max());
  CHECK(s.mean() > 0ns);
}

TEST_CASE("a share outside 0 to 1, or no number at all, is clamped") {
  const auto s = snapshot_of({1ms, 2ms, 3ms});

  CHECK(s.quantile(-1) == s.quantile(0));
  CHECK(s.quantile(7) == s.quantile(1));
  CHECK(s.quantile(std::numeric_limits<double>::quiet_NaN()) == s.quantile(0));
}

TEST_CASE("merging equals recording into one histogram") {
  std::vector<nanoseconds> left{1us, 5us, 3ms};
  std::vector<nanoseconds> right{2us, 700ns, 9s, 2h};
  auto both = left;
  both.insert(both.end(), right.begin(), right.end());

  auto merged = snapshot_of(left);
  merged.merge(snapshot_of(right));
  merged.merge({});
  histogram_snapshot from_empty;
  from_empty.merge(merged);
  const auto expected = snapshot_of(both);

  for (double p = 0; p <= 1; p += 0.05) {
    CHECK(merged.quantile(p) == expected.quantile(p));
    CHECK(from_empty.quantile(p) == expected.quantile(p));
  }
  CHECK(merged.count() == 7);
  CHECK(merged.max() == 2h);
  CHECK(merged.sum() == expected.sum());
}

TEST_CASE("since() leaves what was recorded between two snapshots") {
  histogram h;
  h.record(10s);
  h.record(1ms);
  const auto before = h.snapshot();
  h.record(2ms);
  h.record(2ms);
  const auto quiet = h.snapshot().since(before);
  h.record(20s);
  const auto with_new_max = h.snapshot().since(before);

  CHECK(quiet.count() == 2);
  CHECK(relative_error(quiet.p50(), 2ms) <= 0.01);
  CHECK(relative_error(quiet.max(), 2ms) <= 0.01);
  CHECK(with_new_max.count() == 3);
  CHECK(with_new_max.max() == 20s);
  CHECK(before.since(before).count() == 0);
  CHECK(before.since(before).max() == 0ns);
  CHECK(before.since({}).count() == 2);
  CHECK(histogram_snapshot().since(before).count() == 0);
}

TEST_CASE("no value is lost when threads record at once") {
  constexpr int threads = 4;
  constexpr int each = 20'000;
  histogram h;
  scalekit::counter recorded;

  std::vector<std::thread> pool;
  for (int t = 0; t < threads; ++t) {
    pool.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        h.record(nanoseconds(1000 + 10 * (i % 50) + t));
        recorded.add();
      }
    });
  }
  std::uint64_t seen = 0;
  while (seen < std::uint64_t{threads} * each) {
    const auto now = h.snapshot().count();
    REQUIRE(now >= seen);
    seen = now;
  }
  for (auto& thread : pool) thread.join();

  CHECK(h.snapshot().count() == std::uint64_t{threads} * each);
  CHECK(h.snapshot().max() == 1493ns);
  CHECK(recorded.value() == std::uint64_t{threads} * each);
}

TEST_CASE("a gauge goes up and down and keeps its peak") {
  scalekit::gauge in_flight;

  in_flight.add(3);
  in_flight.subtract();
  in_flight.add();
  in_flight.subtract(3);

  CHECK(in_flight.value() == 0);
  CHECK(in_flight.peak() == 3);
}
