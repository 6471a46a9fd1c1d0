#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/queue/job_priority.hpp"

#include <chrono>
#include <cstdint>

namespace scalekit::queue::detail {

/// How priorities are weighed against age.
struct priority_rules {
  std::chrono::microseconds high_lead{0};
  std::chrono::microseconds low_lag{0};
  bool strict = false;
};

/// The key by which claimable jobs are ordered, least first: a virtual deadline. Fixed when the job
/// is enqueued, so that one static index is the order, and no row is ever updated to let it age.
///
/// Strict: the priority in the high bits (2^54 us are 570 years), the time in the low ones.
constexpr std::int64_t priority_key(wall_time claimable_at, job_priority p,
                                    const priority_rules& rules) noexcept {
  const auto rank = static_cast<std::int64_t>(p);
  if (rules.strict) return rank * (std::int64_t{1} << 54) + to_micros(claimable_at);
  switch (p) {
    case job_priority::high:
      return to_micros(claimable_at - rules.high_lead);
    case job_priority::low:
      return to_micros(claimable_at + rules.low_lag);
    case job_priority::normal:
      break;
  }
  return to_micros(claimable_at);
}

}  // namespace scalekit::queue::detail
