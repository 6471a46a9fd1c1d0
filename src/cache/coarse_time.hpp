#pragma once

#include "scalekit/core/clock.hpp"

#include <cstdint>
#include <ctime>

namespace scalekit::cache::detail {

/// Monotonic nanoseconds of a clock, at the cost of a hit in memory. Of the machine's clock the
/// coarse reading is taken: it is up to one tick (some milliseconds) late, at a tenth of the price.
class coarse_time {
 public:
  explicit coarse_time(const clock& of) noexcept
      : clock_(of), is_system_(&of == &clock::system()) {}

  std::int64_t now_ns() const noexcept {
    if (!is_system_) return clock_.now().time_since_epoch().count();
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
  }

 private:
  const clock& clock_;
  bool is_system_;
};

}  // namespace scalekit::cache::detail
