#pragma once

#include "queue/engine.hpp"
#include "queue/kind_entry.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <stop_token>
#include <utility>

namespace scalekit::queue::detail {

/// Why a handler was asked to stop; the first reason stays.
enum class stop_cause { none, shutdown, overdue, doubtful, lease_lost };

/// An attempt whose handler has been called. Shared by the handler's thread, which may outlive the
/// worker, and the board.
struct running_attempt {
  running_attempt(claimed_job j, kind_entry& k, std::shared_ptr<engine> e, time_point now)
      : job(std::move(j)), kind(k), store(std::move(e)), began(now) {
    prolong(now);
  }

  void prolong(time_point now) noexcept {
    deadline.store((now + kind.timeout).time_since_epoch().count(), std::memory_order_relaxed);
  }
  time_point until() const noexcept {
    return time_point{time_point::duration{deadline.load(std::memory_order_relaxed)}};
  }

  /// Notes why the attempt is to stop. Request the stop of what it returns while holding no lock:
  /// the callbacks of the handler's token run in it.
  std::stop_source will_stop(stop_cause why) noexcept {
    auto none = stop_cause::none;
    cause.compare_exchange_strong(none, why);
    return stop;
  }

  const claimed_job job;
  kind_entry& kind;
  const std::shared_ptr<engine> store;
  const time_point began;
  std::stop_source stop;
  std::atomic<time_point::rep> deadline{0};
  std::atomic<stop_cause> cause{stop_cause::none};
  /// How it ended has been decided: by its handler, or, where that was too late, for it.
  std::atomic<bool> decided{false};
  /// complete_in() was called: a lease that is gone then does not mean that it was lost.
  std::atomic<bool> completed_inside{false};
};

}  // namespace scalekit::queue::detail
