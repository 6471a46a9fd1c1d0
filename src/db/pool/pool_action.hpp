#pragma once

#include "db/pool/pool_waiter.hpp"

#include <boost/container/small_vector.hpp>

#include <cstddef>

namespace scalekit::db::detail {

/// Why the pool gave a connection up.
enum class close_reason {
  /// Its user found it unusable.
  broken,
  /// Its user left something in its session.
  spent,
  /// Unused for idle_timeout.
  idle,
  /// As old as it may become.
  expired,
  /// Of an older generation: the server's role changed.
  evicted,
  /// More than the present size.
  surplus,
  /// No sign of life, or could not be brought back into order.
  unhealthy,
  /// The pool is closing.
  pool_closed,
};
inline constexpr std::size_t close_reasons = 8;

/// One thing for the shell to do.
struct pool_action {
  enum class kind {
    /// `waiter` has `waiter->slot` now. Wake it.
    grant,
    /// `waiter` gets nothing, for `waiter->why`. Wake it.
    refuse,
    /// Open a connection in `slot` until `until`, then tell dial_succeeded or dial_failed. Never
    /// cancelled because a caller went away.
    dial,
    /// Ask the idle connection for a sign of life until `until`, then tell checked.
    check,
    /// Bring the connection back into order (cancel, drain, reset) until `until`, then tell
    /// reset_done.
    reset,
    /// Close it in good order until `until`, then hard; tell closed once the socket is.
    close,
    /// Log pool_core::describe_leak(slot).
    report_leak,
    /// Log pool_core::describe_nested(*waiter): it waits for a connection on a thread that holds
    /// one of the same pool.
    report_nested,
  };

  kind what;
  slot_id slot = no_slot;
  close_reason reason = close_reason::broken;
  pool_waiter* waiter = nullptr;
  time_point until = {};
};

/// Filled by the pool's calls, in the order in which to act. Costs no memory up to eight.
using pool_actions = boost::container::small_vector<pool_action, 8>;

}  // namespace scalekit::db::detail
