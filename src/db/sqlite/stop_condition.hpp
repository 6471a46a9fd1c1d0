#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/error.hpp"

#include <array>
#include <atomic>
#include <stop_token>
#include <string>

namespace scalekit::db::sqlite {

/// Why SQLite was told to give up.
enum class stop_cause { none, deadline, cancelled, closing };

/// The same to a caller, of a cause that is not none, and in words: "cancelled after 20 ms".
errc errc_of(stop_cause why) noexcept;
std::string text_of(stop_cause why, time_point begun);

/// When a call must end, looked at from inside SQLite. A flag of the connection, as
/// sqlite3_interrupt() has it, could hit the next call.
struct stop_condition {
  time_point begun;
  time_point until;
  /// Null where there is none.
  std::array<const std::stop_token*, 3> stops{};
  const std::atomic<bool>* closing = nullptr;

  stop_cause check() const noexcept {
    if (auto cause = check_flags(); cause != stop_cause::none) return cause;
    return std::chrono::steady_clock::now() >= until ? stop_cause::deadline : stop_cause::none;
  }

  stop_cause check_flags() const noexcept {
    for (const auto* stop : stops) {
      if (stop != nullptr && stop->stop_requested()) return stop_cause::cancelled;
    }
    if (closing != nullptr && closing->load(std::memory_order_relaxed)) return stop_cause::closing;
    return stop_cause::none;
  }
};

}  // namespace scalekit::db::sqlite
