#pragma once

#include <atomic>
#include <cstdint>

namespace scalekit {

/// Counts events. Relaxed: says how many, never in which order.
///
/// One atomic: an uncontended increment costs a few nanoseconds. Give counters that different
/// threads touch all the time cache lines of their own (alignas(64)).
///
/// Thread safety: every member may be called from any thread.
class counter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }

  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// How many there are now: goes up and down, and remembers the most there ever were.
///
/// Thread safety: every member may be called from any thread.
class gauge {
 public:
  void add(std::int64_t n = 1) noexcept {
    const auto now = value_.fetch_add(n, std::memory_order_relaxed) + n;
    auto peak = peak_.load(std::memory_order_relaxed);
    while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
  }

  void subtract(std::int64_t n = 1) noexcept { value_.fetch_sub(n, std::memory_order_relaxed); }

  std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }
  std::int64_t peak() const noexcept { return peak_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
  std::atomic<std::int64_t> peak_{0};
};

}  // namespace scalekit
