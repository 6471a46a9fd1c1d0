#pragma once

#include "scalekit/core/export.hpp"

#include <chrono>
#include <cstdint>

namespace scalekit {

/// A point of the monotonic clock: deadlines, leases held in memory, latencies.
using time_point = std::chrono::steady_clock::time_point;

/// A point of the wall clock (UTC, microseconds): what is stored and shared with other processes.
using wall_time = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

/// Where a component reads the time. Tests inject scalekit::testing::manual_clock.
///
/// Thread safety: every member may be called from any thread.
/// Object lifetimes: a component keeps a reference; the clock must outlive it.
class SCALEKIT_EXPORT clock {
 public:
  virtual ~clock() = default;

  /// Never goes backwards.
  virtual time_point now() const noexcept = 0;

  /// May jump, in both directions, when the machine's time is set.
  virtual wall_time wall_now() const noexcept = 0;

  /// The machine's clocks. Holds no state and is never destroyed.
  static const clock& system() noexcept;
};

/// Microseconds since 1970-01-01 UTC: the form in which wall times are stored.
constexpr std::int64_t to_micros(wall_time t) noexcept {
  return t.time_since_epoch().count();
}
constexpr wall_time from_micros(std::int64_t us) noexcept {
  return wall_time{std::chrono::microseconds{us}};
}

}  // namespace scalekit
