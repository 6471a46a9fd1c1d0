#pragma once

#include "queue/job_record.hpp"

#include <chrono>
#include <mutex>
#include <utility>
#include <vector>

namespace scalekit::queue::detail {

/// Leases whose claim may or may not have been committed: the connection was lost at that moment,
/// and nobody could be asked. No worker was given their jobs, and none would ever take them while
/// the one that claimed them lives, so they have to be given back.
///
/// A commit may still arrive when the claim has long been given up: each is tried again for an
/// hour. A lease that is not there, or was given back already, costs nothing.
class doubtful_claims {
 public:
  void add(const std::vector<claimed_job>& claimed, wall_time now) {
    std::lock_guard lock(mutex_);
    for (const auto& job : claimed) leases_.emplace_back(job.held, now);
  }

  std::vector<lease> list(wall_time now) {
    std::lock_guard lock(mutex_);
    // A clock that was set back does not keep them for ever.
    std::erase_if(leases_, [now](const auto& l) {
      return now >= l.second + kept_for || now <= l.second - kept_for;
    });
    std::vector<lease> all;
    all.reserve(leases_.size());
    for (const auto& [held, since] : leases_) all.push_back(held);
    return all;
  }

 private:
  static constexpr std::chrono::hours kept_for{1};

  std::mutex mutex_;
  std::vector<std::pair<lease, wall_time>> leases_;
};

}  // namespace scalekit::queue::detail
