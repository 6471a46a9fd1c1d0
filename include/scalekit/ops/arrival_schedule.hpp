#pragma once

#include "scalekit/core/export.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace scalekit::ops {

/// A part of a load run: for `duration`, requests are due at a rate that is constant, or that
/// changes linearly.
struct load_stage {
  /// How long the stage lasts. Range: over 0 to 24 h.
  std::chrono::nanoseconds duration{};

  /// Requests a second; in a ramp, at its end. Range 0 to 1'000'000; 0 is a pause.
  double rate = 0;

  /// Requests a second at the beginning of a ramp up or down to `rate`. Default unset: the whole
  /// stage runs at `rate`.
  std::optional<double> ramp_from = std::nullopt;
};

/// How arrivals are spread over time.
enum class spacing {
  /// Independent users: exponential gaps, so that bursts occur as they do in life.
  poisson,
  /// Evenly; in a ramp the gaps shrink or grow. For runs that shall be compared call by call.
  constant,
};

/// When each request of a run is due, decided before the run and independent of what the server
/// does: the open model. A server that stalls does not slow the schedule down.
///
/// The times are exact, not ticks: with L(t) the integral of the rate, the n-th arrival is where L
/// reaches the sum of n unit-exponential gaps (poisson, by time rescaling), or n (constant).
/// The same seed gives the same times on every platform, up to rounding in the last nanosecond.
///
/// Thread safety: none.
class SCALEKIT_EXPORT arrival_schedule {
 public:
  /// Throws std::invalid_argument, naming the field, for no stage, or one out of range. More than
  /// 2^53 arrivals are not supported.
  arrival_schedule(std::vector<load_stage> stages, spacing how, std::uint64_t seed);

  /// Time from the start of the run to the next arrival, never less than the one before; nullopt
  /// after the last.
  std::optional<std::chrono::nanoseconds> next();

  /// Length of all stages together.
  std::chrono::nanoseconds duration() const noexcept { return duration_; }

  /// Expected number of arrivals: the integral of the rate.
  double expected() const noexcept { return expected_; }

 private:
  double next_gap();

  std::vector<load_stage> stages_;
  spacing how_;
  std::mt19937_64 random_;
  std::chrono::nanoseconds duration_{};
  double expected_ = 0;
  std::size_t stage_ = 0;
  std::chrono::nanoseconds stage_start_{};
  // Both in expected arrivals since the start of the run.
  double stage_base_ = 0;
  double position_ = 0;
  bool first_ = true;
};

}  // namespace scalekit::ops
