#pragma once

#include "scalekit/core/clock.hpp"

#include <algorithm>
#include <chrono>

namespace scalekit {

/// The point in time after which a caller no longer wants the answer.
///
/// A deadline is set once, where a call enters scalekit, and handed down unchanged, so that all
/// the waits inside one call share one budget. There is no "never": see `max_timeout`.
class deadline {
 public:
  /// The longest timeout that is honoured; longer ones are cut to it. One day.
  static constexpr std::chrono::hours max_timeout{24};

  /// `timeout` from `now`. Zero or negative: already expired, so that only what is possible
  /// without waiting is done.
  static deadline after(std::chrono::nanoseconds timeout,
                        time_point now = std::chrono::steady_clock::now()) noexcept {
    return deadline{now + std::clamp<std::chrono::nanoseconds>(timeout, {}, max_timeout)};
  }

  static constexpr deadline at(time_point when) noexcept { return deadline{when}; }

  constexpr time_point when() const noexcept { return when_; }

  bool expired(time_point now = std::chrono::steady_clock::now()) const noexcept {
    return now >= when_;
  }

  /// Never negative.
  std::chrono::nanoseconds remaining(
      time_point now = std::chrono::steady_clock::now()) const noexcept {
    return expired(now) ? std::chrono::nanoseconds::zero() : when_ - now;
  }

  /// The earlier of two.
  friend constexpr deadline earlier(deadline a, deadline b) noexcept {
    return a.when_ < b.when_ ? a : b;
  }

 private:
  explicit constexpr deadline(time_point when) noexcept : when_(when) {}

  time_point when_;
};

}  // namespace scalekit
