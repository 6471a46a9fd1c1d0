#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/queue/job_id.hpp"
#include "scalekit/queue/job_priority.hpp"

#include <string>
#include <string_view>

namespace scalekit::queue {

/// Where a job is.
enum class job_state {
  /// Its time has not come: enqueued with a delay, snoozed, or waiting for its next attempt.
  scheduled,
  /// Waiting for a worker.
  ready,
  /// Claimed by a worker.
  running,
  /// Given up; see queue::dead_letters().
  dead,
  /// Done, discarded or cancelled: the job is gone, and nothing but `id` and `state` is known.
  finished,
};

/// A short English word: "scheduled".
constexpr std::string_view to_string(job_state s) noexcept {
  switch (s) {
    case job_state::scheduled:
      return "scheduled";
    case job_state::ready:
      return "ready";
    case job_state::running:
      return "running";
    case job_state::dead:
      return "dead";
    case job_state::finished:
      return "finished";
  }
  return "unknown";
}

/// What is known about one job.
struct job_status {
  job_id id = 0;
  job_state state = job_state::finished;
  std::string kind = {};
  std::string queue = {};
  job_priority priority = job_priority::normal;
  wall_time enqueued_at{};
  /// For a scheduled job; else the epoch.
  wall_time run_at{};
  int max_attempts = 0;
  /// How earlier attempts ended, each way counted apart.
  int errors = 0;
  int crashes = 0;
  int interruptions = 0;
  int snoozes = 0;
  /// The reason of the newest error or crash; empty when there was none.
  std::string last_error = {};
};

}  // namespace scalekit::queue
