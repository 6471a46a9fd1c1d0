#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/log.hpp"

#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace scalekit {

/// Whether a dependency is called.
enum class breaker_state {
  /// It works: every call is admitted.
  closed,
  /// It has been failing: no call is admitted until the pause is over.
  open,
  /// The pause is over: a few calls are admitted to find out whether it works again.
  half_open,
};

/// What a call that was admitted says about the dependency.
enum class breaker_outcome {
  success,
  failure,
  /// Nothing: it was cancelled, or never sent.
  ignored,
};

/// A change of state.
struct breaker_transition {
  breaker_state from = breaker_state::closed;
  breaker_state to = breaker_state::closed;
  /// Grows with each change: callbacks of different threads may overtake each other.
  std::uint64_t generation = 0;
};

/// Settings of a circuit_breaker.
struct circuit_breaker_params {
  /// What it guards, for messages and logs ("redis 10.0.0.9:6379").
  std::string name = "dependency";

  /// Opens after this many failures with no success between them. Default 5. Range 0 to
  /// 1'000'000; 0 does not look at this, then `failure_ratio` must be above 0.
  std::uint32_t consecutive_failures = 5;

  /// Opens when at least this share of the calls reported within `window` failed. Default 0.5.
  /// Range 0 to 1; 0 does not look at this, and a success then takes no lock.
  double failure_ratio = 0.5;

  /// Calls that must have been reported within `window` before the ratio counts. Default 20: one
  /// failure of two calls is no sign. Range 1 to 1'000'000.
  std::uint32_t min_throughput = 20;

  /// Default 10 s. It slides in tenths. Range 10 ms to 1 hour.
  std::chrono::nanoseconds window = std::chrono::seconds(10);

  /// How long it stays open; grows with each half-open phase that fails in a row. Default 1 s,
  /// doubling up to 30 s, without jitter (a pause of almost nothing would be none). See
  /// backoff_params for the ranges.
  backoff_params pause = {.base = std::chrono::seconds(1), .full_jitter = false};

  /// Calls admitted at a time while half open, and successes needed to close. Default 1. Range 1
  /// to 16.
  std::uint32_t probes = 1;

  /// A probe that has reported nothing after this long counts as failed, and its late report as
  /// nothing. Default 10 s: longer than the guarded calls' own deadline. Range 1 ms to 1 hour.
  std::chrono::nanoseconds probe_deadline = std::chrono::seconds(10);

  /// Called after each change, on the thread whose call brought it about, outside all locks; it
  /// may use the breaker. What it throws is swallowed. Default: none.
  std::function<void(const breaker_transition&)> on_change = {};

  /// Receives "core.breaker.opened" (warning), "core.breaker.half_open" (debug) and
  /// "core.breaker.closed" (info).
  log_sink log = {};

  /// Seed for the jitter of `pause`. Default 0: the system's entropy.
  std::uint64_t seed = 0;
};

/// Leaves a failing dependency alone for a while, then asks with few calls whether it is back.
///
///     auto permit = breaker.acquire();            // throws errc::breaker_open
///     ... the call ...
///     permit.success();                           // or failure(), or report(code)
///
/// A report counts only in the state in which its call was admitted: what was sent before the
/// breaker opened cannot close or open it later. Nothing happens in the background: pauses and
/// probe deadlines are looked at when a call asks, so the state cannot be stuck.
///
/// Thread safety: all members may be called from any thread. While closed, admission is one
/// atomic load; no lock is ever held around a guarded call or a callback.
/// Object lifetimes: permits may outlive the breaker; the clock must outlive both.
class SCALEKIT_EXPORT circuit_breaker {
  struct state_data;

 public:
  /// The right to make one call. Reports "ignored" when dropped without a report. Move-only.
  ///
  /// Thread safety: one thread at a time, which need not be the one that acquired it.
  class SCALEKIT_EXPORT permit {
   public:
    permit(permit&&) noexcept = default;
    permit& operator=(permit&&) noexcept;
    ~permit();

    /// The first report counts; the permit is then spent and further ones do nothing.
    void report(breaker_outcome outcome) noexcept;
    void success() noexcept { report(breaker_outcome::success); }
    void failure() noexcept { report(breaker_outcome::failure); }

    /// Reports what outcome_of(code) says.
    void report(const boost::system::error_code& code) noexcept;

   private:
    friend class circuit_breaker;
    permit(std::shared_ptr<state_data> owner, std::uint64_t generation, std::uint32_t probe);

    std::shared_ptr<state_data> owner_;
    std::uint64_t generation_;
    std::uint32_t probe_;
  };

  /// Throws std::invalid_argument, naming the field, for settings out of range.
  explicit circuit_breaker(circuit_breaker_params params = {}, const clock& time = clock::system());

  /// A permit, or nothing while the dependency is to be left alone. Never throws and never
  /// waits for I/O: for callers with a fallback.
  std::optional<permit> try_acquire() noexcept;

  /// A permit, or errc::breaker_open with the reason and the time of the next try.
  permit acquire();

  breaker_state state() const noexcept;

  /// Time until a call may be admitted; 0 while one would be admitted now. Half open with all
  /// probes out: until the first of them counts as failed.
  std::chrono::nanoseconds retry_after() const noexcept;

 private:
  std::shared_ptr<state_data> state_;
};

/// What a call that ended with `code` says about its dependency. No error, and an error by which
/// the dependency answered (a constraint, a bad statement): success. Not reached, lost, timed out
/// while working, out of order (errc::unavailable, connection_lost, execution_timeout, io_error,
/// disk_full, corrupt, backend_error, commit_in_doubt; every code of a foreign category): failure.
/// The caller's own doing (errc::cancelled, closed, forked, acquire_timeout, shed, breaker_open):
/// ignored.
SCALEKIT_EXPORT breaker_outcome outcome_of(const boost::system::error_code& code) noexcept;

/// "closed", "open", "half_open".
SCALEKIT_EXPORT const char* to_string(breaker_state state) noexcept;

}  // namespace scalekit
