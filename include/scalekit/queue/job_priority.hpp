#pragma once

namespace scalekit::queue {

/// How urgent a job is. A head start in time, not a class of its own: see
/// queue_params::high_lead. Values are stored; they never change.
enum class job_priority : int {
  high = -1,
  normal = 0,
  low = 1,
};

using enum job_priority;

}  // namespace scalekit::queue
