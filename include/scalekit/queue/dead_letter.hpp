#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/queue/job_id.hpp"

#include <string>

namespace scalekit::queue {

/// A job that was given up: kept until it is redriven or deleted. Of a job that cannot be read,
/// only the id, the time of death and the reason are told.
struct dead_letter {
  job_id id = 0;
  std::string kind = {};
  std::string queue = {};
  std::string payload = {};
  wall_time enqueued_at{};
  wall_time died_at{};
  /// Why: the last error, or the crash count.
  std::string reason = {};
  int errors = 0;
  int crashes = 0;
};

}  // namespace scalekit::queue
