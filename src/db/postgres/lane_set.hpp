#pragma once

#include "db/postgres/lane.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace scalekit::db::postgres {

/// The lanes of one host in one event loop; made with the first read that wants one.
///
/// Thread safety: every member may be called from any thread.
class lane_set {
 public:
  lane_set(std::shared_ptr<host_pool> pool, std::size_t lanes, std::chrono::nanoseconds patience,
           bool is_one_of_many, lane::callers of)
      : pool_(std::move(pool)),
        count_(lanes),
        patience_(patience),
        is_one_of_many_(is_one_of_many),
        callers_(of) {}

  /// The least loaded. `loop` gives the executor, once.
  template <class Loop>
  const std::shared_ptr<lane>& pick(Loop loop) {
    if (!made_.load(std::memory_order_acquire)) make(loop());
    auto* best = &lanes_.front();
    for (auto& each : lanes_) {
      if (each->load() < (*best)->load()) best = &each;
    }
    return *best;
  }

  /// Until all that was submitted before waits for a connection or has one, or `until`.
  void wait_until_collected(time_point until);
  void close();

 private:
  void make(const boost::asio::any_io_executor& loop);

  const std::shared_ptr<host_pool> pool_;
  const std::size_t count_;
  const std::chrono::nanoseconds patience_;
  const bool is_one_of_many_;
  const lane::callers callers_;
  std::mutex mutex_;
  std::atomic<bool> made_{false};
  std::vector<std::shared_ptr<lane>> lanes_;
};

}  // namespace scalekit::db::postgres
