#pragma once

#include "scalekit/core/clock.hpp"

#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace scalekit::detail {

/// Waits on this thread. False: it was asked to stop, before or meanwhile.
inline bool sleep_until(time_point when, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_until(lock, stop, when, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace scalekit::detail
