#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/queue/worker.hpp"
#include "scalekit/queue/worker_stats.hpp"

#include <chrono>

namespace scalekit::queue::detail {

/// What a worker knows about one kind of job.
struct kind_entry {
  handler run;
  backoff_params retry;
  std::chrono::nanoseconds timeout;
  /// Guarded by the board.
  kind_stats counts;
};

}  // namespace scalekit::queue::detail
