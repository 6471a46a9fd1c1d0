#include "queue/liveness_watch.hpp"

#include <algorithm>

namespace scalekit::queue::detail {

std::vector<worker_sighting> liveness_watch::look(std::span<const worker_sighting> seen,
                                                  time_point now) {
  // A longer gap than this was a pause of the watcher, and only this much of it is believed.
  const auto gap = std::min(now - last_look_, 2 * period_);
  last_look_ = now;

  std::vector<worker_sighting> dead;
  std::map<std::int64_t, entry> present;
  for (const auto& worker : seen) {
    entry e{.beats = worker.beats};
    const auto before = known_.find(worker.id);
    if (before != known_.end() && before->second.beats == worker.beats) {
      e.still = before->second.still + gap;
    }
    if (e.still >= std::chrono::microseconds{worker.stale_after_us}) dead.push_back(worker);
    present.emplace(worker.id, e);
  }
  known_ = std::move(present);
  return dead;
}

}  // namespace scalekit::queue::detail
