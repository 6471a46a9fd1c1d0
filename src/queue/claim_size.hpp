#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace scalekit::queue::detail {

/// What a worker has in hand when it thinks about claiming more.
struct workload {
  std::size_t concurrency = 1;
  std::size_t max_batch = 1;
  /// In handlers, and claimed without a thread yet.
  std::size_t running = 0;
  std::size_t buffered = 0;
  /// Ended and not yet recorded.
  std::size_t unsettled = 0;
  /// How long a handler takes, smoothed; nothing before the first has ended.
  std::optional<std::chrono::nanoseconds> service_time = {};
};

/// The work that is claimed ahead should last this long: some transactions.
inline constexpr std::chrono::nanoseconds prefetch_horizon = std::chrono::milliseconds{50};

/// Jobs to hold ready beside those that run. None for handlers slower than the horizon: what one
/// worker holds, another cannot run.
inline std::size_t prefetch_target(const workload& w) noexcept {
  if (!w.service_time) return 0;
  const double service = std::max(1e-9, std::chrono::duration<double>(*w.service_time).count());
  const double horizon = std::chrono::duration<double>(prefetch_horizon).count();
  const double wanted = static_cast<double>(w.concurrency) * horizon / service;
  return static_cast<std::size_t>(std::min(wanted, 2.0 * static_cast<double>(w.max_batch)));
}

/// A service time at which nothing is claimed ahead.
inline std::chrono::nanoseconds slow_service(std::size_t concurrency) noexcept {
  return 2 * prefetch_horizon * static_cast<std::int64_t>(concurrency);
}

/// How many jobs to claim now.
///
/// Nothing while half of the prefetch is left (few large claims cost less than many small ones),
/// and nothing while endings pile up that could not be recorded.
inline std::size_t claim_size(const workload& w) noexcept {
  if (w.unsettled >= 4 * w.max_batch) return 0;
  const std::size_t target = prefetch_target(w);
  const std::size_t held = w.running + w.buffered;
  const std::size_t wanted = w.concurrency + target;
  if (held >= wanted || (w.buffered > 0 && w.buffered > target / 2)) return 0;
  return std::min(wanted - held, w.max_batch);
}

/// Smooths what handlers take: a quarter of the new value.
inline std::chrono::nanoseconds smoothed(std::optional<std::chrono::nanoseconds> before,
                                         std::chrono::nanoseconds sample) noexcept {
  return before ? *before + (sample - *before) / 4 : sample;
}

}  // namespace scalekit::queue::detail
