#pragma once

#include "scalekit/core/backoff.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace scalekit::queue {

/// Settings of a worker.
struct worker_params {
  /// Handlers that run at the same time, each on a thread of its own. Default 8. Range 1 to 1024.
  std::size_t concurrency = 8;

  /// The queues that it serves, in turn. Default {"default"}. 1 to 64 names, each once.
  std::vector<std::string> queues = {"default"};

  /// The pause between an attempt that ended in an error and the next one. Default: drawn evenly
  /// from 0 to 60 s, then to 120 s, 240 s, ..., at most to 1 h. Full jitter, because jobs that
  /// failed together (a server was away) must not come back together.
  backoff_params retry = {.base = std::chrono::seconds{60}, .cap = std::chrono::hours{1}};

  /// How long one attempt may take; attempt::heartbeat() starts the time anew. When it is over the
  /// attempt is asked to stop and counts as an error, and the job is free for its next attempt; a
  /// handler that goes on regardless occupies its thread, but can no longer finish the job.
  /// Default 5 min. Range 10 ms to 24 h.
  std::chrono::milliseconds attempt_timeout = std::chrono::minutes{5};

  /// Times a job may be in the hands of a worker that dies (killed, out of memory) before it
  /// becomes a dead letter. Its last chance it gets alone, with nothing else in the worker's
  /// hands, so that the jobs beside a deadly one do not die with it. Default 3. Range 2 to 1000.
  int max_crashes = 3;

  /// How often the worker says that it is alive. Default 3 s. Range 10 ms to 60 s.
  std::chrono::milliseconds heartbeat_interval = std::chrono::seconds{3};

  /// A worker whose heartbeat has not moved for this long, watched by another worker's monotonic
  /// clock, is dead and its jobs are run elsewhere. Default 10 s. Range 3 heartbeat intervals to
  /// 1 h. Too short, and a worker that was merely paused has its jobs run a second time (which it
  /// then cannot finish: leases are fenced).
  std::chrono::milliseconds stale_after = std::chrono::seconds{10};

  /// Most jobs that are claimed, and most that are finished, in one transaction. Default 256: the
  /// commit's disk flush is shared by so many. Range 1 to 4096.
  std::size_t max_batch = 256;

  /// Most bytes of payload that are claimed in one transaction; a job that is larger is claimed
  /// alone. Default 16 MiB: what a worker holds in memory beside what it works on. Range 64 KiB to
  /// 1 GiB.
  std::size_t max_claim_bytes = std::size_t{16} << 20;

  /// A claimed job that found no free thread for this long is given back. Default 2 s. Range 10 ms
  /// to 1 h. How many are claimed ahead follows from how long handlers take: slow ones none.
  std::chrono::milliseconds max_prefetch_age = std::chrono::seconds{2};

  /// How often an idle worker looks for jobs of other processes; it doubles from the least to the
  /// most while nothing is found. Jobs enqueued through the same `queue` object wake it at once.
  /// Defaults 50 ms and 1 s. Range 1 ms to 60 s, least <= most.
  std::chrono::milliseconds poll_least = std::chrono::milliseconds{50};
  std::chrono::milliseconds poll_most = std::chrono::seconds{1};

  /// What the destructor gives stop(). Default 10 s. Range 0 to 1 h.
  std::chrono::milliseconds stop_timeout = std::chrono::seconds{10};

  /// Seed of the jitter of retries and polls. Default 0: a seed from the system.
  std::uint64_t seed = 0;
};

}  // namespace scalekit::queue
