#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <vector>

namespace scalekit::queue::detail {

/// Somebody who sleeps until there is work.
class sleeper {
 public:
  virtual ~sleeper() = default;
  /// There is work now.
  virtual void wake() noexcept = 0;
  /// There may be work soon: a transaction of the caller is open.
  virtual void expect() noexcept = 0;
};

/// Tells the workers of this process about jobs enqueued in this process. A missed wake only costs
/// a poll, so sleepers come and go freely.
class wake_hub {
 public:
  void add(const std::shared_ptr<sleeper>& s) {
    std::lock_guard lock(mutex_);
    std::erase_if(sleepers_, [](const auto& weak) { return weak.expired(); });
    sleepers_.push_back(s);
  }

  void wake() noexcept {
    tell([](sleeper& s) { s.wake(); });
  }
  void expect() noexcept {
    tell([](sleeper& s) { s.expect(); });
  }

 private:
  template <class F>
  void tell(F f) noexcept {
    // Outside the mutex: a sleeper may die here, with all that its handlers hold.
    std::vector<std::shared_ptr<sleeper>> awake;
    try {
      std::lock_guard lock(mutex_);
      for (const auto& weak : sleepers_) {
        if (auto s = weak.lock()) awake.push_back(std::move(s));
      }
    } catch (...) {
      // Out of memory: a missed wake only costs a poll.
    }
    for (const auto& s : awake) f(*s);
  }

  std::mutex mutex_;
  std::vector<std::weak_ptr<sleeper>> sleepers_;
};

}  // namespace scalekit::queue::detail
