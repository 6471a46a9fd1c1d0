#pragma once

#include "queue/claim_size.hpp"
#include "scalekit/core/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>

namespace scalekit::queue::detail {

/// What the pump can see when it decides what to do next.
struct pump_view {
  time_point now{};
  workload load;
  /// When the oldest ending that is not recorded came in.
  time_point oldest_ending{};
  /// Jobs may be claimed: the worker is not stopping, and its heartbeat is well.
  bool open = false;
  /// Nothing new will come in; record what there is at once.
  bool closing = false;
  /// There is reason to believe that jobs are waiting.
  bool expecting = false;
  /// When to look for jobs, without a reason.
  time_point look_at{};
  /// Not before this: the database has just failed.
  time_point not_before{};
};

struct pump_step {
  enum class action { wait, look, turn };

  action what = action::wait;
  /// turn: how many to claim.
  std::size_t claim = 0;
  /// wait: for how long, unless something happens.
  time_point until{};
};

/// Endings wait this long for others to share a transaction with.
inline constexpr std::chrono::nanoseconds settle_delay = std::chrono::milliseconds{5};

/// One transaction records endings and claims jobs, so either is reason enough for both.
inline pump_step next_step(const pump_view& v) noexcept {
  using action = pump_step::action;
  // Far, but not so far that a clock cannot reach it.
  pump_step idle{.until = v.now + std::chrono::hours{1}};
  if (v.now < v.not_before) {
    idle.until = v.not_before;
    return idle;
  }

  const std::size_t claim = v.open ? claim_size(v.load) : 0;
  const bool idle_handlers = v.load.running + v.load.buffered == 0;
  const bool settle =
      v.load.unsettled > 0 && (v.closing || idle_handlers || v.load.unsettled >= v.load.max_batch ||
                               v.now >= v.oldest_ending + settle_delay);
  if (settle || (claim > 0 && v.expecting)) return {.what = action::turn, .claim = claim};
  if (claim > 0 && v.now >= v.look_at) return {.what = action::look};

  if (claim > 0) idle.until = std::min(idle.until, v.look_at);
  if (v.load.unsettled > 0) idle.until = std::min(idle.until, v.oldest_ending + settle_delay);
  return idle;
}

}  // namespace scalekit::queue::detail
