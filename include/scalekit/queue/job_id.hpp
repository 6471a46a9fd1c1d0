#pragma once

#include <cstdint>

namespace scalekit::queue {

/// Names a job for as long as its queue exists: positive, growing, never given twice.
///
/// It is also the idempotency key for effects outside the job's own database (a mail, a payment):
/// every attempt of a job has the same id.
using job_id = std::int64_t;

}  // namespace scalekit::queue
