#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace scalekit::db::postgres {

/// Calls a function at a time that may be moved forward: on a thread of its own, which starts with
/// the first plan and sleeps otherwise. Not on the host's event loop: that would never run out of
/// work, and what a pool does for its connections must not wait for it.
///
/// Thread safety: plan() may be called from any thread, and from within the function.
class ticker {
 public:
  /// `due` must not throw. It may destroy the ticker.
  explicit ticker(std::function<void()> due);
  ~ticker();
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;

  /// Calls at `when`, unless that is planned for earlier anyway.
  void plan(time_point when);

 private:
  struct state {
    std::function<void()> due;
    std::mutex mutex;
    std::condition_variable changed;
    time_point planned = time_point::max();
    bool over = false;
  };

  static void run(const std::shared_ptr<state>& s);

  const fork_guard guard_;
  std::shared_ptr<state> state_;
  std::thread thread_;
};

}  // namespace scalekit::db::postgres
