#pragma once

#include "scalekit/core/clock.hpp"

#include <chrono>

namespace scalekit::queue::detail {

/// What a worker may do, given how its own heartbeat goes. Monotonic time only.
class pulse {
 public:
  pulse(std::chrono::nanoseconds interval, std::chrono::nanoseconds stale_after,
        time_point now) noexcept
      : interval_(interval), stale_after_(stale_after), last_(now), next_(now + interval) {}

  bool is_due(time_point now) const noexcept { return now >= next_; }
  time_point next() const noexcept { return next_; }

  /// A heartbeat that was begun at `began` is in the database. Others may have seen it as early as
  /// that, so that moment counts.
  void beaten(time_point began) noexcept {
    last_ = began;
    next_ = began + interval_;
    missed_ = false;
  }

  /// One failed: try again soon, and claim nothing meanwhile.
  void missed(time_point now) noexcept {
    next_ = now + interval_ / 4;
    missed_ = true;
  }

  /// A worker that may look dead to others takes no new jobs.
  bool may_claim(time_point now) const noexcept {
    return !missed_ && now - last_ < stale_after_ / 2;
  }

  /// Others may take the jobs over any moment: handlers are to stop.
  bool is_doubtful(time_point now) const noexcept {
    return now - last_ >= stale_after_ - interval_ / 2;
  }

 private:
  std::chrono::nanoseconds interval_;
  std::chrono::nanoseconds stale_after_;
  time_point last_;
  time_point next_;
  bool missed_ = false;
};

}  // namespace scalekit::queue::detail
