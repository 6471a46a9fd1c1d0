#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/queue/job_id.hpp"

#include <cstdint>
#include <string>

namespace scalekit::queue {

/// The right of one attempt to finish its job.
///
/// Every change of a running job compares it. An attempt whose lease was taken away (its worker
/// stood still for too long) can therefore never finish, fail or prolong a later attempt.
struct lease {
  job_id job = 0;

  /// Grows with every claim of a queue, so a later attempt of a job has a greater one. Give it to
  /// an outside system that can compare it, as a fencing token.
  std::int64_t sequence = 0;

  /// Random, new for every life of a worker: tells attempts apart even when a restored backup has
  /// set the sequence back.
  std::int64_t nonce = 0;

  friend bool operator==(const lease&, const lease&) = default;
};

/// "job-sequence-nonce", a string for logs and headers.
SCALEKIT_EXPORT std::string to_string(const lease& l);

}  // namespace scalekit::queue
