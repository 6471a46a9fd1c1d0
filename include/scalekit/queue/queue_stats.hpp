#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace scalekit::queue {

/// How much waits in one named queue.
struct queue_depth {
  std::string queue = {};
  std::int64_t ready = 0;
  /// How long the job that is next in line has been waiting since it was enqueued.
  std::chrono::microseconds head_age{0};
};

/// How much there is of everything, read in one snapshot of the database.
struct queue_stats {
  std::int64_t ready = 0;
  std::int64_t scheduled = 0;
  std::int64_t running = 0;
  std::int64_t dead = 0;
  /// Workers that are registered; one that was killed counts until it is found dead.
  std::int64_t workers = 0;
  /// Queues with ready jobs, by name.
  std::vector<queue_depth> queues = {};
};

}  // namespace scalekit::queue
