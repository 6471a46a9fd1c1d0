#pragma once

#include "scalekit/core/detail/log_buckets.hpp"
#include "scalekit/core/export.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace scalekit {

/// What a histogram held at one moment: a plain value that can be merged, subtracted and asked.
///
/// Every duration it names is within 1 % of a recorded one (DDSketch: the bound holds for each
/// quantile, after any number of merges), where that lies between 64 ns and 73 minutes (2^42 ns);
/// below 512 ns, rounding to whole nanoseconds adds up to half of one.
///
/// Thread safety: that of a vector.
class SCALEKIT_EXPORT histogram_snapshot {
 public:
  /// Empty: count() is 0 and every duration is 0.
  histogram_snapshot() = default;

  /// Values recorded.
  std::uint64_t count() const noexcept { return count_; }

  /// The value below which a share `p` of the recorded ones lies, by nearest rank: p = 0 is the
  /// least, 0.5 the median, 1 the greatest. `p` outside 0 to 1 is clamped. O(number of buckets).
  std::chrono::nanoseconds quantile(double p) const noexcept;

  std::chrono::nanoseconds p50() const noexcept { return quantile(0.5); }
  std::chrono::nanoseconds p90() const noexcept { return quantile(0.9); }
  std::chrono::nanoseconds p95() const noexcept { return quantile(0.95); }
  std::chrono::nanoseconds p99() const noexcept { return quantile(0.99); }
  std::chrono::nanoseconds p999() const noexcept { return quantile(0.999); }

  /// The greatest value recorded; exact, except after since() (see there).
  std::chrono::nanoseconds max() const noexcept { return std::chrono::nanoseconds(max_); }

  /// The sum of all values, within 1 %: it is added up from the buckets, so that record() has
  /// one counter less to touch. Cut at the greatest duration (292 years).
  std::chrono::nanoseconds sum() const noexcept;

  /// sum() / count(), within 1 %; 0 when empty.
  std::chrono::nanoseconds mean() const noexcept;

  /// Recorded values below 64 ns (negative ones included). quantile() tells them as 64 ns.
  std::uint64_t below_range() const noexcept;

  /// Recorded values of 2^42 ns (73 minutes) or more. quantile() tells them as max().
  std::uint64_t above_range() const noexcept;

  /// Adds what `other` holds, as if all its values had been recorded here.
  void merge(const histogram_snapshot& other);

  /// What was recorded after `earlier` was taken, from the same histogram. max() of the result
  /// is then within 1 %, as the moment of the greatest value is not kept. Counts that are lower
  /// than the earlier ones (another histogram's snapshot) become 0.
  histogram_snapshot since(const histogram_snapshot& earlier) const;

 private:
  friend class histogram;

  // Empty, or detail::log_buckets::count long.
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  std::int64_t max_ = 0;
};

/// How long things take: durations from 64 ns to 73 minutes in 1442 logarithmic buckets.
///
/// Fixed memory (11.6 KiB), no allocation. record() is wait-free but for a new maximum: some
/// shifts, one table look-up and one atomic increment; only threads that record into the same
/// bucket at the same time share a cache line. Durations outside the range are counted in a
/// bucket at either end.
///
/// Thread safety: record() and snapshot() may be called from any thread. A snapshot taken while
/// others record holds each value either whole or not at all, but not all from the same instant.
class SCALEKIT_EXPORT histogram {
 public:
  histogram() = default;
  histogram(const histogram&) = delete;
  histogram& operator=(const histogram&) = delete;

  void record(std::chrono::nanoseconds duration) noexcept {
    const std::int64_t value = duration.count();
    const auto bucket =
        detail::log_buckets::index(value < 0 ? 0 : static_cast<std::uint64_t>(value));
    // In this order: a snapshot that sees the value sees a maximum that is not below it.
    if (value > max_.load(std::memory_order_relaxed)) raise_max(value);
    buckets_[bucket].fetch_add(1, std::memory_order_release);
  }

  histogram_snapshot snapshot() const;

 private:
  void raise_max(std::int64_t value) noexcept;

  // Read by every record() and seldom written, so away from the buckets.
  alignas(64) std::atomic<std::int64_t> max_{0};
  alignas(64) std::array<std::atomic<std::uint64_t>, detail::log_buckets::count> buckets_{};
};

}  // namespace scalekit
