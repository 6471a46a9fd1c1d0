#pragma once

// Writers that go on while the primary dies and a replica takes its place.

#include "scalekit/db.hpp"
#include "support/postgres/cluster.hpp"
#include "support/wait_until.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace topology_test {

/// Four threads that insert numbers into a table "promoted", each of them once.
class promoted_writers {
 public:
  explicit promoted_writers(scalekit::db::client client) : client_(std::move(client)) {
    for (int i = 0; i < 4; ++i) threads_.emplace_back([this] { write(); });
  }
  ~promoted_writers() { stop(); }
  promoted_writers(const promoted_writers&) = delete;
  promoted_writers& operator=(const promoted_writers&) = delete;

  std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return acknowledged_.size();
  }
  /// Whether so many more are acknowledged in the end.
  bool go_on(std::size_t more) const {
    const auto wanted = count() + more;
    return support::wait_until([&] { return count() >= wanted; });
  }
  void stop() {
    over_ = true;
    for (auto& each : threads_) each.join();
    threads_.clear();
  }
  /// Once they have stopped.
  const std::set<std::int64_t>& acknowledged() const { return acknowledged_; }
  std::set<std::int64_t> kept() {
    const auto all = client_.read<std::int64_t>(scalekit::db::sql("select n from promoted"));
    return {all.begin(), all.end()};
  }

 private:
  void write() {
    while (!over_) {
      const auto n = next_++;
      try {
        client_.write(scalekit::db::sql("insert into promoted values ($1)", n),
                      {.timeout = std::chrono::seconds(5)});
        const std::lock_guard lock(mutex_);
        acknowledged_.insert(n);
      } catch (const scalekit::error&) {
        // In doubt, or refused: not acknowledged.
      }
    }
  }

  scalekit::db::client client_;
  std::atomic<std::int64_t> next_{0};
  std::atomic<bool> over_{false};
  mutable std::mutex mutex_;
  std::set<std::int64_t> acknowledged_;
  std::vector<std::thread> threads_;
};

/// Of a cluster of three: the primary is killed, and the replica that has more of its log takes its
/// place, followed by the other. Which it is.
inline std::size_t lose_primary(support::postgres::cluster& of) {
  of.primary().kill9();
  // One that follows is enough from now on.
  for (std::size_t i : {1U, 2U}) {
    of.node(i).reload({{"synchronous_standby_names", "ANY 1 (*)"}});
  }
  // What one has beyond the other nobody was told of; it could not follow, though.
  const auto heir = of.furthest_of(1, 2);
  of.promote(heir);
  of.follow_primary(3 - heir);
  return heir;
}

}  // namespace topology_test
