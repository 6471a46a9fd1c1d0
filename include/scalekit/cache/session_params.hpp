#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/execution.hpp"

#include <chrono>

namespace scalekit::cache {

/// Settings of sessions.
struct session_params {
  /// A session that was not used for so long is over. Default 30 min. Range 1 s to 90 days; what is
  /// above `lifetime` comes to the same as `lifetime`.
  std::chrono::milliseconds idle = std::chrono::minutes(30);

  /// However much it is used, it is over after this. Default 12 h. Range 1 s to 90 days.
  std::chrono::milliseconds lifetime = std::chrono::hours(12);

  /// That a session was used is written once at least this share of `idle` has passed since it was
  /// written last: an idle session may be over that much earlier. Default 0.1. Range 0 to 0.9; 0
  /// writes each time.
  double touch_after = 0.1;

  /// As policy::memory_ttl: how long this process may go on serving what another process of the
  /// same files has destroyed or saved. Default 0: as long as it lives, which is right where one
  /// process has the store. Range 0 to 90 days. Never above 0 for a store of memory alone, which
  /// has nowhere to read it again.
  std::chrono::milliseconds memory_ttl = std::chrono::milliseconds(0);

  /// The store's.
  const scalekit::clock* clock = &scalekit::clock::system();

  /// Where async_ calls run.
  scalekit::execution execution = {};
};

}  // namespace scalekit::cache
