#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/log.hpp"

#include <chrono>
#include <cstddef>
#include <string>

namespace scalekit::queue {

/// Settings of a queue. Processes that share a database give the same `table_prefix`, leads and
/// `strict_priority`.
struct queue_params {
  /// Begins the name of every table. Default "sk_". 1 to 32 of a-z, 0-9 and _, not beginning with
  /// a digit; two queues in one database are told apart by it.
  std::string table_prefix = "sk_";

  /// Attempts that may end in an error, for jobs that do not say it themselves. Default 3: a first
  /// try, and two more with pauses of about a minute. Range 1 to 1000.
  int max_attempts = 3;

  /// Largest payload; a larger one is refused with errc::too_large. Default 1 MiB: what is bigger
  /// belongs into a file or a table that the job names. Range 0 to 64 MiB.
  std::size_t max_payload_bytes = std::size_t{1} << 20;

  /// A high job is claimed as if it had been enqueued this much earlier. So it overtakes whatever
  /// normal work is younger than that, and older normal work is done first: nothing starves.
  /// Default 5 min. Range 0 to 24 h.
  std::chrono::milliseconds high_lead = std::chrono::minutes{5};

  /// A low job is claimed as if it had been enqueued this much later. Default 15 min. Range 0 to
  /// 24 h.
  std::chrono::milliseconds low_lag = std::chrono::minutes{15};

  /// True: a job is claimed only when no job of a higher priority is claimable, however old it is.
  /// Low jobs may then starve. Default false.
  bool strict_priority = false;

  /// How long one call may take, waiting for the writer included. Default 5 s. Range 1 ms to 1 h.
  std::chrono::milliseconds call_timeout = std::chrono::seconds{5};

  /// The wall clock that delays and priorities are measured with, and the monotonic one of leases.
  /// Processes on one machine share the wall clock. Never null; must outlive the queue.
  const scalekit::clock* clock = &scalekit::clock::system();

  /// Where events go ("queue.job.dead", "queue.worker.rescued", ...). Default: nowhere.
  log_sink log = {};
};

}  // namespace scalekit::queue
