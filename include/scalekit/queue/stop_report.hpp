#pragma once

#include <cstddef>

namespace scalekit::queue {

/// What stopping a worker came to.
struct stop_report {
  /// Claimed jobs that were given back without having been started.
  std::size_t returned = 0;
  /// Handlers that ended only after they had been asked to stop, or did not end at all. Their jobs,
  /// where not done, run again without having lost an attempt.
  std::size_t interrupted = 0;
  /// Of those, handlers that had not ended when stop() gave up. Their threads go on by themselves
  /// and use what the handler captured; their leases are gone.
  std::size_t abandoned = 0;
};

}  // namespace scalekit::queue
