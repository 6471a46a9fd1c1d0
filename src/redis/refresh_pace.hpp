#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/clock.hpp"

#include <cstdint>

namespace scalekit::redis::detail {

/// When a cluster's nodes may be asked who has which slot: one question at a time, and pauses that
/// grow while one is wanted soon after the other, whether it was answered or not. What comes in
/// between is not remembered: who still finds the map wrong asks again.
///
/// Thread safety: one thread at a time.
class refresh_pace {
 public:
  explicit refresh_pace(const backoff_params& pauses) : pauses_(pauses) {}

  /// Whether to ask now; then end() is to follow.
  bool begin(time_point now) noexcept {
    if (is_asking_ || now < next_) return false;
    // Left alone for so long, it is no storm.
    if (now >= next_ + pauses_.cap) in_a_row_ = 0;
    is_asking_ = true;
    return true;
  }

  void end(time_point now, std::uint64_t random) noexcept {
    is_asking_ = false;
    next_ = now + backoff_delay(pauses_, ++in_a_row_, random);
  }

  bool is_asking() const noexcept { return is_asking_; }

 private:
  backoff_params pauses_;
  bool is_asking_ = false;
  std::uint64_t in_a_row_ = 0;
  time_point next_{};
};

}  // namespace scalekit::redis::detail
