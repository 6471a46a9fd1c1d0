#pragma once

#include "queue/disposition.hpp"
#include "queue/kind_entry.hpp"
#include "scalekit/queue/worker_stats.hpp"

namespace scalekit::queue::detail {

/// An attempt that has ended, until the database knows.
struct ended {
  disposition how;
  /// Null for jobs that never had a handler.
  kind_entry* kind = nullptr;
  /// The handler called complete_in(): no lease means done.
  bool completed_inside = false;
};

/// Counts an ending that has come back from the database. `settled`: the lease was still held.
inline void count(worker_stats& totals, const ended& e, bool settled) {
  const std::uint64_t one = settled ? 1 : 0;
  if (e.how.as == ending::returned) {
    totals.returned += one;
  } else if (!settled) {
    ++(e.completed_inside ? e.kind->counts.done : e.kind->counts.lost);
  } else {
    auto& counts = e.kind->counts;
    switch (e.how.as) {
      case ending::done:
        ++counts.done;
        break;
      case ending::retried:
        ++counts.retried;
        break;
      case ending::dead:
        ++counts.dead;
        break;
      case ending::discarded:
        ++counts.discarded;
        break;
      case ending::cancelled:
        ++counts.cancelled;
        break;
      case ending::snoozed:
        ++counts.snoozed;
        break;
      case ending::interrupted:
        ++counts.interrupted;
        break;
      case ending::returned:
        break;
    }
  }
}

}  // namespace scalekit::queue::detail
