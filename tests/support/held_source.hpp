#pragma once

#include "scalekit/cache/options.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>

namespace support {

/// Stands for a database that answers when the test says so, or when it is asked to stop.
///
///     auto source = support::held_source::make();
///     cache::owned([source](const cache::load_context& c) { return source->answer(c, 2); })
class held_source {
 public:
  static std::shared_ptr<held_source> make() { return std::make_shared<held_source>(); }

  template <class Value>
  Value answer(const scalekit::cache::load_context& context, Value value) {
    std::unique_lock lock(mutex_);
    ++asked_;
    changed_.notify_all();
    changed_.wait(lock, context.stop, [&] { return released_; });
    stopped_ = stopped_ || context.stop.stop_requested();
    changed_.notify_all();
    return value;
  }

  void release() {
    std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }

  void wait_asked() {
    wait([&] { return asked_ > 0; });
  }
  void wait_stopped() {
    wait([&] { return stopped_; });
  }

  int asked() const {
    std::lock_guard lock(mutex_);
    return asked_;
  }
  bool was_stopped() const {
    std::lock_guard lock(mutex_);
    return stopped_;
  }

 private:
  template <class Holds>
  void wait(Holds holds) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, holds);
  }

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  int asked_ = 0;
  bool released_ = false;
  bool stopped_ = false;
};

}  // namespace support
