#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace scalekit::db {

/// Why connections were closed: totals since open. Only of pools of server connections.
struct closed_connections {
  /// Found unusable by a call.
  std::uint64_t broken = 0;
  /// A script, or a statement that sets or locks for longer than its transaction, has left
  /// something in the session.
  std::uint64_t spent = 0;
  /// Unused for idle_timeout.
  std::uint64_t idle = 0;
  /// As old as they may become.
  std::uint64_t expired = 0;
  /// The server's role changed.
  std::uint64_t evicted = 0;
  /// More than the pool's present size.
  std::uint64_t surplus = 0;
  /// No sign of life, or not to be brought back into order.
  std::uint64_t unhealthy = 0;
  /// With the pool.
  std::uint64_t pool_closed = 0;
};

/// One group of connections at one moment.
struct pool_statistics {
  /// The most connections it may have.
  std::size_t limit = 0;
  /// Lent to a call or a transaction.
  std::size_t busy = 0;
  /// Callers in the queue.
  std::size_t waiting = 0;

  /// Totals since open.
  std::uint64_t acquired = 0;
  /// Of those, how many had to wait.
  std::uint64_t waited = 0;
  std::uint64_t acquire_timeouts = 0;
  /// Turned away because the queue was full, or because it stood for too long.
  std::uint64_t shed = 0;
  std::uint64_t cancelled_waits = 0;

  // What follows is only counted by pools of server connections.

  /// How many connections the pool wants at most at present, 1 to `limit`.
  std::size_t size = 0;
  /// Why it changed last: "grew 8 -> 10: 0.86 of 8 in use over 250 ms, 3 waiting".
  std::string size_reason = {};
  /// Why `limit` is not the settings': "fleet: 92 connections among 4 clients". Empty while it is.
  std::string limit_reason = {};
  std::size_t idle = 0;
  /// Being opened.
  std::size_t dialing = 0;
  /// Being checked for a sign of life, or brought back into order after a call.
  std::size_t unready = 0;
  /// Being closed; they count against `limit` until their sockets are.
  std::size_t closing = 0;

  /// Connections opened, or tried to.
  std::uint64_t dials = 0;
  std::uint64_t dial_failures = 0;
  /// Callers turned away because the server could not be reached, or lost its role while they
  /// waited.
  std::uint64_t unreachable = 0;
  std::uint64_t leaks_reported = 0;
  closed_connections closed = {};
};

/// What a host is to its cluster, as far as is known.
enum class host_role { unknown, primary, replica };

/// One server of a client of servers.
struct host_statistics {
  /// "10.0.0.1:5432".
  std::string name;
  /// As it last said; unknown with one host only, which nobody watches.
  host_role role = host_role::unknown;
  /// How far a replica is behind, as of its last answer to the monitor; nothing where that is not
  /// known.
  std::optional<std::chrono::nanoseconds> lag = {};
  /// For people: "replica, lag 120 ms", "unreachable for 4 s: connection refused". Empty with one
  /// host only.
  std::string state = {};
  /// Reads and read-only transactions that were sent to it.
  std::uint64_t reads = 0;
  /// It is reached as client_params::transaction_pooler says: by the setting, or because a pooler
  /// was found.
  bool behind_pooler = false;
  pool_statistics pool = {};
};

/// Why a statement does not share connections with others.
struct lane_refusal {
  /// Without its values, as slow-query reports show it.
  std::string statement;
  /// For people: "function app.next_number is volatile".
  std::string reason;
};

/// The statements whose reads might share connections, by what is known of them; see
/// client_params::lanes. All 0 where there are no lanes.
struct lane_statistics {
  /// Statements remembered, 4096 at most: the sum of the four that follow.
  std::size_t statements = 0;
  /// Proven to be harmless, and fast: they share.
  std::size_t proven = 0;
  /// Proven, but too slow to share.
  std::size_t slow = 0;
  /// Proven not to be harmless, or beyond proof.
  std::size_t refused = 0;
  /// Not proven: run fewer than 20 times, never fast, or longer than five minutes ago.
  std::size_t unproven = 0;
  /// Proofs begun, a total since open.
  std::uint64_t proofs = 0;
  /// Some of the refused ones, 20 at most.
  std::vector<lane_refusal> refusals = {};
};

/// A snapshot of a client; its numbers belong to one moment within each group.
struct client_statistics {
  /// Of several hosts: the sum of all that are not primary. Of one server: nothing.
  pool_statistics readers;
  /// The queue of writes: its limit is 1 on SQLite. Of servers: the primary's pool.
  pool_statistics writer;
  /// In the order of the URL. Empty for SQLite.
  std::vector<host_statistics> hosts = {};

  std::uint64_t statements = 0;
  std::uint64_t failed_statements = 0;
  std::uint64_t transactions_committed = 0;
  std::uint64_t transactions_rolled_back = 0;
  std::uint64_t statement_cache_hits = 0;
  std::uint64_t statement_cache_misses = 0;

  /// Commits that several queued writes shared, and those writes. 0 where there is no such thing.
  std::uint64_t shared_commits = 0;
  std::uint64_t writes_in_shared_commits = 0;
  /// Groups of writes that could not be committed together, and were run one by one.
  std::uint64_t groups_broken_up = 0;
  /// Reads that shared a connection with others; see client_params::lanes.
  std::uint64_t shared_reads = 0;
  /// Why so many, or so few.
  lane_statistics lanes = {};
};

}  // namespace scalekit::db
