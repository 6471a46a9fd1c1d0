#include "scalekit/core/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace scalekit {
namespace {

using buckets = detail::log_buckets;

constexpr std::size_t under = 0;
constexpr std::size_t over = buckets::count - 1;

/// The value that is equally wrong, in relative terms, at both ends of an inner bucket.
double representative(std::size_t bucket) noexcept {
  const double low = buckets::lower_bound(bucket);
  const double high = buckets::lower_bound(bucket + 1);
  return 2 * low * high / (low + high);
}

}  // namespace

std::chrono::nanoseconds histogram_snapshot::quantile(double p) const noexcept {
  if (count_ == 0) return {};
  const double share = p > 0 ? std::min(p, 1.0) : 0;  // NaN is 0
  const auto last = static_cast<double>(count_);
  const auto rank = static_cast<std::uint64_t>(std::max(1.0, std::ceil(share * last)));

  std::size_t bucket = under;
  for (std::uint64_t seen = buckets_[under]; seen < rank && bucket < over;) {
    seen += buckets_[++bucket];
  }
  if (bucket == over) return max();
  const double value =
      bucket == under ? static_cast<double>(buckets::least) : representative(bucket);
  return std::min(std::chrono::nanoseconds(std::llround(value)), max());
}

std::chrono::nanoseconds histogram_snapshot::sum() const noexcept {
  if (count_ == 0) return {};
  // What lies outside the range is told by its end of the range.
  double total = 0;
  for (std::size_t i = under + 1; i < over; ++i) {
    if (buckets_[i] != 0) total += static_cast<double>(buckets_[i]) * representative(i);
  }
  total += static_cast<double>(buckets_[over]) * static_cast<double>(buckets::past);
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  return std::chrono::nanoseconds(total < static_cast<double>(most) ? std::llround(total) : most);
}

std::chrono::nanoseconds histogram_snapshot::mean() const noexcept {
  if (count_ == 0) return {};
  return std::chrono::nanoseconds(
      std::llround(static_cast<double>(sum().count()) / static_cast<double>(count_)));
}

std::uint64_t histogram_snapshot::below_range() const noexcept {
  return buckets_.empty() ? 0 : buckets_[under];
}

std::uint64_t histogram_snapshot::above_range() const noexcept {
  return buckets_.empty() ? 0 : buckets_[over];
}

void histogram_snapshot::merge(const histogram_snapshot& other) {
  if (other.count_ == 0) return;
  if (buckets_.empty()) buckets_.resize(buckets::count);
  for (std::size_t i = 0; i < buckets::count; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

histogram_snapshot histogram_snapshot::since(const histogram_snapshot& earlier) const {
  if (earlier.count_ == 0) return *this;
  histogram_snapshot result;
  if (count_ == 0) return result;
  result.buckets_.resize(buckets::count);
  std::size_t highest = under;
  for (std::size_t i = 0; i < buckets::count; ++i) {
    if (buckets_[i] <= earlier.buckets_[i]) continue;
    result.buckets_[i] = buckets_[i] - earlier.buckets_[i];
    result.count_ += result.buckets_[i];
    highest = i;
  }
  // A new maximum was reached after `earlier`; an old one only bounds what came since.
  if (result.count_ == 0) return result;
  result.max_ = max_;
  if (max_ == earlier.max_ && highest != over) {
    const double top =
        highest == under ? static_cast<double>(buckets::least) : representative(highest);
    result.max_ = std::min(max_, static_cast<std::int64_t>(std::llround(top)));
  }
  return result;
}

histogram_snapshot histogram::snapshot() const {
  histogram_snapshot result;
  result.buckets_.resize(buckets::count);
  for (std::size_t i = 0; i < buckets::count; ++i) {
    result.buckets_[i] = buckets_[i].load(std::memory_order_acquire);
    result.count_ += result.buckets_[i];
  }
  result.max_ = max_.load(std::memory_order_relaxed);
  return result;
}

void histogram::raise_max(std::int64_t value) noexcept {
  auto seen = max_.load(std::memory_order_relaxed);
  while (value > seen && !max_.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

}  // namespace scalekit
