#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/db/pool_params.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace scalekit::db::detail {

/// One change of a pool's size, and why.
struct size_change {
  std::size_t from = 0;
  std::size_t to = 0;
  time_point when = {};
  /// "grew 8 -> 10: 0.86 of 8 in use over 250 ms, 3 waiting". Empty: there was none yet.
  std::string text;
};

/// How many connections the pool wants to have at most, between min and max: it follows the share
/// that is in use. The limits of growing (0.8) and shrinking (0.3) lie so far apart, and the steps
/// are so small, that one change never causes the opposite one.
class pool_size {
 public:
  pool_size(const pool_params& params, time_point now);

  std::size_t value() const noexcept { return value_; }
  std::size_t min() const noexcept { return min_; }
  std::size_t max() const noexcept { return max_; }
  const size_change& last_change() const noexcept { return last_; }

  /// `busy` were in use until now. Call it before anything else that depends on the time.
  void account(std::size_t busy, time_point now) noexcept {
    if (now <= seen_) return;
    in_use_ += static_cast<double>(busy) * static_cast<double>((now - seen_).count());
    seen_ = now;
  }

  /// Callers wait and all connections are taken: grows when enough were in use for long enough.
  /// True when it grew.
  bool consider_growing(std::size_t waiting);

  /// True when it shrank.
  bool consider_shrinking();

  /// When consider_growing() can next say yes; time_point::max(): never.
  time_point growth_due() const noexcept;
  time_point shrink_due() const noexcept;

  /// A new range; `why` is for the text.
  void set_limits(std::size_t min, std::size_t max, const std::string& why);

 private:
  struct window {
    time_point begun;
    double in_use_before = 0;
  };

  std::size_t least() const noexcept;
  double use_since(const window& w) const noexcept;
  void change_to(std::size_t to, const char* verb, const std::string& why);

  std::size_t min_;
  std::size_t max_;
  bool adaptive_;
  double grow_above_;
  double shrink_below_;
  std::chrono::nanoseconds grow_after_;
  std::chrono::nanoseconds shrink_after_;
  std::size_t value_;
  // Connections in use, integrated over time (in nanoseconds).
  double in_use_ = 0;
  time_point seen_;
  window growth_;
  window shrinkage_;
  /// Somebody waited in the present window of shrinking.
  bool pressed_ = false;
  size_change last_;
};

}  // namespace scalekit::db::detail
