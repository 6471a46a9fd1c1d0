#pragma once

// What the driver tells the host_board.

#include "db/topology/lsn.hpp"
#include "scalekit/core/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace scalekit::db::detail {

/// Names a host to its board; never used again for another one.
using host_id = std::size_t;

/// A host's answer to the monitor. All of it from one statement.
struct host_sample {
  /// When the question was sent: what the answer says held at some time since. The lease counts
  /// from here.
  time_point asked_at = {};

  /// pg_is_in_recovery().
  bool in_recovery = false;
  /// From pg_control_system(); a sample without it is of no use.
  std::uint64_t system_id = 0;
  /// Of a primary: from pg_walfile_name(). Of a standby: pg_stat_wal_receiver.received_tli, which
  /// needs pg_monitor. 0: not known.
  std::uint32_t timeline = 0;
  /// To be read before the timeline, so that it cannot belong to a later one.
  /// Of a primary: pg_current_wal_flush_lsn(), with asynchronous commits the insert LSN. Of a
  /// standby: pg_last_wal_replay_lsn(). 0: not known.
  lsn position = {};
  /// default_transaction_read_only as a new connection gets it.
  bool read_only = false;
};

/// What an error says about the host that it came from. Local trouble (no connection free, a
/// queue full, a caller's deadline) is none.
enum class host_error {
  /// 25006 in a transaction that had not been begun READ ONLY: this is no primary.
  read_only,
  /// 57P02 and 57P03: the server as a whole goes down or comes up.
  shutting_down,
  /// Nobody listens there, or a new connection was turned away with an error that any other would
  /// get too (not: wrong password, 53300).
  refused,
  /// A connection died, 57P01 (which pg_terminate_backend sends to one alone), or the monitor's
  /// question got no answer in time. Not proof of anything, so the host is asked at once.
  lost,
};

/// ParameterStatus of a connection that did not set these itself; not given: not reported.
struct host_parameters {
  std::optional<bool> in_hot_standby = {};
  std::optional<bool> default_transaction_read_only = {};
};

}  // namespace scalekit::db::detail
