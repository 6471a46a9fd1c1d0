#pragma once

#include <memory>
#include <mutex>
#include <utility>

namespace scalekit::redis::detail {

/// The way back into a loop for what works on another thread, which may outlive the loop: open
/// until it is closed, which must be before the loop goes. So who comes back finds the loop, and
/// never is the last to hold its owner, whose timers and sockets are the loop's.
///
/// Thread safety: every member may be called from any thread.
class way_back {
 public:
  /// Calls `post(std::shared_ptr<Owner>)`, which hands it over to the loop, unless that is over.
  template <class Owner, class Post>
  void take(const std::weak_ptr<Owner>& to, Post&& post) {
    const std::lock_guard lock(mutex_);
    if (!is_open_) return;
    if (auto owner = to.lock()) std::forward<Post>(post)(std::move(owner));
  }

  /// Once it returns nobody is on the way any more.
  void close() noexcept {
    const std::lock_guard lock(mutex_);
    is_open_ = false;
  }

 private:
  std::mutex mutex_;
  bool is_open_ = true;
};

}  // namespace scalekit::redis::detail
