#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/value.hpp"
#include "scalekit/queue/job_id.hpp"
#include "scalekit/queue/job_priority.hpp"
#include "scalekit/queue/lease.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What passes between the worker and an engine.

namespace scalekit::queue::detail {

/// A job to be stored; views live as long as the call.
struct new_job {
  std::string_view queue;
  std::string_view kind;
  std::string_view payload;
  job_priority priority = job_priority::normal;
  std::int64_t key = 0;
  int max_attempts = 1;
  wall_time enqueued_at{};
  /// Set for a job whose time has not come.
  std::optional<wall_time> run_at = {};
};

/// How earlier attempts of a job ended.
struct job_history {
  int errors = 0;
  int crashes = 0;
  int interruptions = 0;
  int snoozes = 0;

  friend bool operator==(const job_history&, const job_history&) = default;
};

struct claimed_job {
  lease held = {};
  std::string queue;
  std::string kind;
  bytes payload;
  int max_attempts = 1;
  job_history past;
};

/// A job whose row is damaged, or holds what this program cannot: no handler can be given it.
struct unreadable_job {
  job_id id = 0;
  std::string kind;
  std::string why;
};

/// What becomes of a job when an attempt has ended. The engine carries it out if, and only if, the
/// lease is still the job's.
struct settlement {
  enum class fate { remove, ready, later, dead };

  lease held = {};
  fate to = fate::remove;
  /// later: when it becomes claimable again. dead: when it died.
  wall_time at{};
  /// Totals, this attempt included. Not written when removed, or when `recorded` is false.
  job_history past = {};
  /// False when this attempt leaves no trace in the history (it was given back).
  bool recorded = true;
  /// The newest error; empty keeps the one before.
  std::string reason = {};
};

/// One life of a worker.
struct worker_identity {
  std::int64_t id = 0;
  std::int64_t nonce = 0;

  friend bool operator==(const worker_identity&, const worker_identity&) = default;
};

/// A worker as others see it.
struct worker_sighting {
  std::int64_t id = 0;
  /// Grows with every heartbeat.
  std::int64_t beats = 0;
  /// How long it may stand still, by its own settings.
  std::int64_t stale_after_us = 0;
};

/// A job in the hands of a worker that is no longer registered.
struct orphan {
  lease held = {};
  job_history past;
};

}  // namespace scalekit::queue::detail
