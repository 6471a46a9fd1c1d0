#pragma once

#include "scalekit/queue/job_priority.hpp"

#include <chrono>
#include <string>

namespace scalekit::queue {

/// What may be said about one job when it is enqueued.
struct enqueue_options {
  /// Default normal.
  job_priority priority = job_priority::normal;

  /// The job becomes claimable this long after it was enqueued. Default 0: at once. Range 0 to
  /// 10 years; microseconds count.
  std::chrono::microseconds run_in{0};

  /// Attempts that may end in an error before the job becomes a dead letter. Default 0: the
  /// queue_params' `max_attempts`. Range 0 to 1000. Crashes of a worker are counted apart.
  int max_attempts = 0;

  /// The queue that workers subscribe to. Default "default". 1 to 128 bytes, no control
  /// characters.
  std::string queue = "default";
};

}  // namespace scalekit::queue
