#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace scalekit::cache::detail {

class flight;

/// What rings when loads take too long. The timers are those of the host's loop, which may go when
/// the store is closed, while loaders still run.
///
/// Thread safety: all members may be called from any thread.
class load_alarms {
 public:
  /// Calls `ring()` on `loop` at `when`, unless it is dropped before.
  void set(const flight* load, std::chrono::steady_clock::time_point when,
           const boost::asio::any_io_executor& loop, std::function<void()> ring) {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return;
    auto& timer = timers_.try_emplace(load, loop).first->second;
    timer.expires_at(when);
    timer.async_wait([ring = std::move(ring)](boost::system::error_code in_time) {
      if (!in_time) ring();
    });
  }

  void drop(const flight* load) {
    const std::lock_guard lock(mutex_);
    timers_.erase(load);
  }

  void close() {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    timers_.clear();
  }

 private:
  std::mutex mutex_;
  std::unordered_map<const flight*, boost::asio::steady_timer> timers_;
  bool is_closed_ = false;
};

}  // namespace scalekit::cache::detail
