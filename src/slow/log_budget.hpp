#pragma once

#include "scalekit/core/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace scalekit::slow {

/// How many records may be logged: a token bucket with a burst of one second's worth.
///
/// A value without a lock; its owner guards it.
class log_budget {
 public:
  explicit log_budget(std::uint32_t per_second) noexcept
      : per_second_(per_second), tokens_(per_second) {}

  struct verdict {
    bool admitted = false;
    /// With an admitted record: how many were refused since the one before.
    std::uint64_t suppressed = 0;
  };

  verdict ask(time_point now) noexcept {
    const std::chrono::duration<double> passed = now - last_;
    // Callers' times come from several threads and need not be in order.
    if (passed.count() > 0) {
      tokens_ = std::min(per_second_, tokens_ + passed.count() * per_second_);
      last_ = now;
    }
    if (tokens_ < 1) {
      ++suppressed_;
      return {};
    }
    tokens_ -= 1;
    return {true, std::exchange(suppressed_, 0)};
  }

 private:
  double per_second_;
  double tokens_;
  time_point last_{};
  std::uint64_t suppressed_ = 0;
};

}  // namespace scalekit::slow
