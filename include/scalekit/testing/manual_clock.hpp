#pragma once

#include "scalekit/core/clock.hpp"

#include <atomic>
#include <chrono>

namespace scalekit::testing {

/// A clock that moves only when told to. Starts at an arbitrary fixed time.
///
/// Thread safety: all members may be called from any thread.
class manual_clock final : public clock {
 public:
  time_point now() const noexcept override {
    return time_point{} + std::chrono::hours{1} + std::chrono::nanoseconds{steady_ns_.load()};
  }

  wall_time wall_now() const noexcept override { return from_micros(wall_us_.load()); }

  /// Moves both clocks forward.
  void advance(std::chrono::nanoseconds by) noexcept {
    steady_ns_ += by.count();
    wall_us_ += std::chrono::duration_cast<std::chrono::microseconds>(by).count();
  }

  /// Sets the wall clock alone, as an operator or NTP would; it may go backwards.
  void set_wall(wall_time t) noexcept { wall_us_ = to_micros(t); }

 private:
  std::atomic<std::int64_t> steady_ns_{0};
  std::atomic<std::int64_t> wall_us_{1'750'000'000'000'000};
};

}  // namespace scalekit::testing
