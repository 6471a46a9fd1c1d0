#pragma once

#include "scalekit/core/clock.hpp"

#include <chrono>

namespace scalekit::db::detail {

/// Tells a standing queue from a burst: CoDel (Nichols, Jacobson: ACM Queue 2012) as Ecto's
/// db_connection applies it to a pool. The queue stands when no wait was as short as the target
/// for a whole interval; then those who waited twice the target are too old.
///
/// The longest waits are turned away, not the newest callers: they are nearest to their own
/// deadline and the likeliest to be gone, and who is served after them has waited least. Turning
/// newcomers away would keep everybody served at the longest wait there is.
class overload_gauge {
 public:
  /// A `target` of 0 never tells of overload.
  overload_gauge(std::chrono::nanoseconds target, std::chrono::nanoseconds interval) noexcept
      : target_(target), interval_(interval) {}

  /// Somebody is served after `wait`.
  void served(std::chrono::nanoseconds wait, time_point now) noexcept {
    if (wait <= target_) last_good_ = now;
  }

  /// Nobody waited until now, or there is new capacity.
  void relieved(time_point now) noexcept { last_good_ = now; }

  /// When the present queue counts as standing, if nothing good happens.
  time_point stands_at() const noexcept {
    return target_.count() == 0 ? time_point::max() : last_good_ + interval_;
  }

  /// How long a wait may be while the queue stands.
  std::chrono::nanoseconds patience() const noexcept { return 2 * target_; }

  /// Whether somebody who waited for `wait` is to be turned away.
  bool too_old(std::chrono::nanoseconds wait, time_point now) const noexcept {
    return wait > patience() && now >= stands_at();
  }

 private:
  std::chrono::nanoseconds target_;
  std::chrono::nanoseconds interval_;
  time_point last_good_ = {};
};

}  // namespace scalekit::db::detail
