#pragma once

#include "db/pool/fifo.hpp"
#include "scalekit/core/clock.hpp"

#include <cstdint>
#include <limits>
#include <source_location>
#include <thread>

namespace scalekit::db::detail {

/// A place for one connection, 0 to max - 1: the shell keeps its connections by it.
using slot_id = std::uint32_t;
inline constexpr slot_id no_slot = std::numeric_limits<slot_id>::max();

/// Who holds a connection, or asks for one.
struct pool_user {
  std::source_location site;
  /// True for what holds its connection across calls: a transaction.
  bool transaction = false;
  /// The thread that blocks in the call; none for an async one. With it the pool can tell a thread
  /// that waits for itself.
  std::thread::id thread = {};
  /// It only reads: it leaves room for those that write.
  bool reads = false;
};

/// Why a caller got no connection.
enum class pool_refusal {
  none,
  /// Its time was over.
  timeout,
  /// Its caller cancelled it.
  cancelled,
  /// max_waiting others waited already.
  queue_full,
  /// It waited too long under lasting overload; see pool_params::shed_target.
  overload,
  /// The server cannot be reached, and there is no connection to wait for.
  unreachable,
  /// The server lost its role while it waited: another one is to be asked.
  evicted,
  closed,
};

/// One caller in the queue. Belongs to the caller, and must outlive its stay there.
struct pool_waiter : fifo_link<pool_waiter> {
  enum class state { idle, waiting, granted, refused };

  pool_user user;
  /// When the caller began to wait.
  time_point since = {};
  /// When it gives up: the earlier of acquire_timeout and the call's own deadline.
  time_point until = {};

  state now = state::idle;
  /// Once granted.
  slot_id slot = no_slot;
  /// Once refused.
  pool_refusal why = pool_refusal::none;
};

}  // namespace scalekit::db::detail
