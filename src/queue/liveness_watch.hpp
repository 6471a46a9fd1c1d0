#pragma once

#include "queue/job_record.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/queue/worker_params.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace scalekit::queue::detail {

/// How often a worker looks at the others.
inline std::chrono::nanoseconds watch_period(const worker_params& params) noexcept {
  return params.heartbeat_interval / 3;
}

/// Finds dead workers: those whose heartbeat counter has not moved for as long as they themselves
/// declared, by the watcher's monotonic clock.
///
/// No wall clock is compared, so a clock that is set kills nobody. And a watcher that was itself
/// paused has no evidence: what it did not see does not count.
class liveness_watch {
 public:
  /// `period` is how often look() will be called.
  explicit liveness_watch(std::chrono::nanoseconds period) noexcept : period_(period) {}

  /// All registered workers but the watcher itself, seen at `now`. Returns those that are dead.
  std::vector<worker_sighting> look(std::span<const worker_sighting> seen, time_point now);

 private:
  struct entry {
    std::int64_t beats = 0;
    /// For how long the counter has been seen standing still.
    std::chrono::nanoseconds still{0};
  };

  std::chrono::nanoseconds period_;
  time_point last_look_{};
  std::map<std::int64_t, entry> known_;
};

}  // namespace scalekit::queue::detail
