#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace scalekit::queue {

/// How the attempts of one kind ended on one worker. Counted when the database has recorded it.
struct kind_stats {
  std::string kind = {};
  std::uint64_t done = 0;
  std::uint64_t retried = 0;
  std::uint64_t dead = 0;
  std::uint64_t discarded = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t snoozed = 0;
  std::uint64_t interrupted = 0;
  /// Ended after the lease was lost: whatever they did was not recorded.
  std::uint64_t lost = 0;
};

/// What a worker has done since start().
struct worker_stats {
  /// By name of the kind.
  std::vector<kind_stats> kinds = {};
  /// Handlers running now.
  std::uint64_t running = 0;
  /// Claimed and waiting for a thread.
  std::uint64_t prefetched = 0;
  /// Given back without having been started.
  std::uint64_t returned = 0;
  /// Jobs of dead workers that this one set free.
  std::uint64_t rescued = 0;
  /// Transactions that finished or claimed jobs.
  std::uint64_t turns = 0;
};

}  // namespace scalekit::queue
