#pragma once

#include "result_cache_fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

namespace result_cache_test {

/// A row whose number grows by one with each change, and what its reads have to see: a change that
/// was acknowledged longer ago than the staleness that was agreed on.
class changing_row {
 public:
  using clock = std::chrono::steady_clock;

  changing_row(result_cache& of, std::int64_t id, std::chrono::nanoseconds max_staleness)
      : of_(of), id_(id), max_staleness_(max_staleness) {}

  /// `change` adds one, and has been acknowledged when it returns.
  template <class Change>
  void changed(Change change) {
    change();
    const std::lock_guard lock(mutex_);
    acknowledged_.push_back(clock::now());
  }

  std::int64_t read(const db::call_options& options = {}) {
    const auto must_see = acknowledged_before(clock::now() - max_staleness_);
    const auto seen = n(of_, id_, options);
    if (seen < must_see) ++violations_;
    return seen;
  }

  void read_until_seen(const db::call_options& options = {}) {
    std::unique_lock lock(mutex_);
    const auto all = static_cast<std::int64_t>(acknowledged_.size());
    lock.unlock();
    CHECK(wait_until([&] { return read(options) >= all; }));
  }

  int violations() const { return violations_; }

 private:
  std::int64_t acknowledged_before(clock::time_point when) {
    const std::lock_guard lock(mutex_);
    return std::lower_bound(acknowledged_.begin(), acknowledged_.end(), when) -
           acknowledged_.begin();
  }

  result_cache& of_;
  const std::int64_t id_;
  const std::chrono::nanoseconds max_staleness_;
  std::mutex mutex_;
  std::vector<clock::time_point> acknowledged_;
  std::atomic<int> violations_{0};
};

}  // namespace result_cache_test
