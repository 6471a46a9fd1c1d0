#pragma once

#include "scalekit/core/clock.hpp"

#include <condition_variable>
#include <mutex>

namespace scalekit::cache::detail {

/// A mutex with a deadline, for std::unique_lock. std::timed_mutex would do, but ThreadSanitizer of
/// gcc 12 does not know the call that it is made of, and reports every use.
class deadline_mutex {
 public:
  bool try_lock_until(time_point until) {
    std::unique_lock lock(guard_);
    if (!released_.wait_until(lock, until, [&] { return !held_; })) return false;
    held_ = true;
    return true;
  }

  void unlock() {
    {
      std::lock_guard lock(guard_);
      held_ = false;
    }
    released_.notify_one();
  }

 private:
  std::mutex guard_;
  std::condition_variable released_;
  bool held_ = false;
};

}  // namespace scalekit::cache::detail
