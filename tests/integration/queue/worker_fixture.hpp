#pragma once

#include "integration/queue/test_database.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/queue.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// Waits until `holds()`; false when it does not within half a minute.
inline bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
  return true;
}

/// A door that handlers wait at.
class gate {
 public:
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    cv_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    cv_.wait(lock, [this] { return open_; });
    --waiting_;
  }
  int waiting() {
    std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable cv_;
  bool open_ = false;
  int waiting_ = 0;
};

/// What handlers did, in order.
class journal {
 public:
  void add(std::string entry) {
    std::lock_guard lock(mutex_);
    entries_.push_back(std::move(entry));
  }
  std::vector<std::string> entries() const {
    std::lock_guard lock(mutex_);
    return entries_;
  }
  std::size_t size() const { return entries().size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> entries_;
};

/// How often each job was run.
class run_counts {
 public:
  int add(scalekit::queue::job_id id) {
    std::lock_guard lock(mutex_);
    return ++runs_[id];
  }
  std::map<scalekit::queue::job_id, int> all() const {
    std::lock_guard lock(mutex_);
    return runs_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<scalekit::queue::job_id, int> runs_;
};

struct worker_fixture {
  test_database file;
  scalekit::testing::manual_clock clock;
  scalekit::db::client db = scalekit::db::client::open(file.quick_url());
  scalekit::queue::queue jobs{db, {.clock = &clock}};

  worker_fixture() { jobs.migrate(); }

  /// Quick to hear, quick to die, and retries at once.
  static scalekit::queue::worker_params quick() {
    using namespace std::chrono_literals;
    return {.concurrency = 4,
            .retry = {.base = 0s, .cap = 0s},
            .heartbeat_interval = 50ms,
            .stale_after = 500ms,
            .poll_least = 5ms,
            .poll_most = 20ms,
            .stop_timeout = 5s};
  }

  bool drained() {
    const auto s = jobs.stats();
    return s.ready + s.scheduled + s.running == 0;
  }
};

inline scalekit::queue::kind_stats stats_of(const scalekit::queue::worker& w,
                                            std::string_view kind) {
  for (auto& k : w.stats().kinds) {
    if (k.kind == kind) return k;
  }
  return {};
}
