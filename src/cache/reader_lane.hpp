#pragma once

#include <atomic>
#include <cstddef>
#include <limits>

namespace scalekit::cache::detail {

/// A number for the calling thread, so that it can count in a place that no other thread writes to.
/// Each thread has one to itself while it lives, but for those beyond `count - 1` at a time: they
/// share the last.
class reader_lane {
 public:
  static constexpr std::size_t count = 16;
  static constexpr std::size_t shared = count - 1;

  static std::size_t mine() noexcept { return number_ == none ? take() : number_; }

  /// Adds to a counter of the calling thread's lane. Plain loads and stores where nobody else does.
  template <class Number>
  static void add(std::atomic<Number>& counter, std::size_t lane, Number n,
                  std::memory_order order) noexcept {
    if (lane == shared) {
      counter.fetch_add(n, order);
    } else {
      counter.store(counter.load(std::memory_order_relaxed) + n, order);
    }
  }

 private:
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  static std::size_t take() noexcept;

  static inline constinit thread_local std::size_t number_ = none;
};

}  // namespace scalekit::cache::detail
