#pragma once

#include "scalekit/core/request_scope.hpp"
#include "scalekit/db/consistency.hpp"
#include "scalekit/db/labels.hpp"
#include "scalekit/db/session.hpp"

#include <chrono>
#include <optional>
#include <stop_token>

namespace scalekit::db {

/// What one call may ask for, beside its statement.
struct call_options {
  /// For the whole call: waiting for a connection, running, fetching. Default: the client's
  /// statement_timeout. Zero: only what is possible without waiting.
  std::optional<std::chrono::nanoseconds> timeout = {};

  /// Stops the call, which then throws errc::cancelled; the connection stays usable. The async_
  /// forms watch their token's cancellation slot as well.
  std::stop_token stop = {};

  /// The request on whose behalf the call is made: groups statements for N+1 detection.
  request_scope scope = {};

  /// How new what a read sees must be. Default: it sees this client's own newest write. Ignored by
  /// writes.
  db::consistency consistency = {};

  /// Whose reads and writes these are: with own_writes() a read sees what the session has written
  /// instead of what the client has, and a write is added to it.
  std::optional<db::session> session = {};

  /// Where a read may run: only on hosts that have all of these labels, the primary included;
  /// without one, errc::unavailable. Default empty: anywhere. Ignored where there is one host only.
  db::labels labels = {};
};

/// What a transaction sees of others that run beside it. SQLite's are always serializable.
enum class isolation_level {
  /// Each statement sees what was committed before it began.
  read_committed,
  /// All see what was committed before the first; a change of what another changed meanwhile is
  /// errc::conflict.
  repeatable_read,
  /// As if transactions ran one after the other; errc::conflict where they cannot have.
  serializable,
};

/// What one transaction may ask for.
struct transaction_options {
  /// For the whole transaction, from the wait for its connection to the end of its commit.
  /// Default: the client's transaction_timeout. A statement in it that would run past this ends
  /// with errc::execution_timeout.
  std::optional<std::chrono::nanoseconds> timeout = {};

  /// Stops the wait, and whatever statement of the transaction runs or is begun after.
  std::stop_token stop = {};

  request_scope scope = {};

  /// As in call_options; the consistency and the labels only count for one that is read only.
  db::consistency consistency = {};
  std::optional<db::session> session = {};
  db::labels labels = {};

  /// True: one consistent snapshot for many reads, on a reader's connection; writes in it are
  /// errc::not_allowed. False (the default): may write; on SQLite it is the only writer while it
  /// lives, so keep it short.
  bool read_only = false;

  /// Default read_committed; a read-only transaction has repeatable_read at least. Of several
  /// PostgreSQL hosts only the primary can do serializable: read only or not, it runs there.
  isolation_level isolation = isolation_level::read_committed;

  /// How often client::transaction() runs its function at most, when it loses against concurrent
  /// transactions or its connection. Default 5, range 1 to 100; 1 never repeats. Between two
  /// attempts there is a random pause of up to 10 ms, then 20 ms, 40 ms and so on to 1 s; all of
  /// them share `timeout`. Not used by begin(), nor by SQLite, which never has to repeat.
  unsigned max_attempts = 5;

  /// With serializable and read_only: waits at its begin until it can run without being a conflict
  /// for anybody, or losing to anybody. No effect without those two, nor on SQLite.
  bool deferrable = false;
};

}  // namespace scalekit::db
