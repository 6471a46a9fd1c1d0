#pragma once

#include "queue/job_record.hpp"
#include "scalekit/core/backoff.hpp"
#include "scalekit/queue/outcome.hpp"

#include <chrono>
#include <cstdint>
#include <string>

// What becomes of a job: pure functions of how its attempt ended and what went before.

namespace scalekit::queue::detail {

/// How an attempt ended, from the point of view of statistics.
enum class ending {
  done,
  retried,
  dead,
  discarded,
  cancelled,
  snoozed,
  interrupted,
  returned,
};

struct disposition {
  ending as = ending::done;
  settlement what = {};
};

/// The facts that decide about an attempt that has ended.
struct attempt_facts {
  lease held;
  job_history past;
  int max_attempts = 1;
  backoff_params retry;
  wall_time now{};
  /// Decides the jitter.
  std::uint64_t random = 0;
};

/// The handler ended with `o`.
disposition after_outcome(const attempt_facts& facts, const outcome& o);

/// The attempt ended because the worker stops: it runs again at once, and counts for nothing.
disposition after_interruption(const attempt_facts& facts);

/// Claimed and never started: as if it had never been claimed.
disposition after_return(const lease& held);

/// The worker died with the job in its hands.
settlement after_crash(const orphan& o, int max_crashes, wall_time now);

/// True for a job that may be the one that kills its workers, and has one chance left.
bool is_suspect(const job_history& past, int max_crashes) noexcept;

/// Fit to be stored and shown: at most 1 KiB, cut between characters, valid UTF-8 without
/// control characters.
std::string clean_reason(std::string text);

}  // namespace scalekit::queue::detail
