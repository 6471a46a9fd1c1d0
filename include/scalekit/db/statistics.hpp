#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace scalekit::db {

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
  std::uint64_t shed = 0;
  std::uint64_t cancelled_waits = 0;
};

/// A snapshot of a client; its numbers belong to one moment within each group.
struct client_statistics {
  pool_statistics readers;
  /// The queue of writes: its limit is 1 on SQLite.
  pool_statistics writer;

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
};

}  // namespace scalekit::db
