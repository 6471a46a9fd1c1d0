#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace scalekit::cache::detail {

/// How many lookups there had been, and hits, at times of the last hour: what a ratio over a window
/// is taken from. Nobody's task: whoever comes by when it is time for one makes a note.
///
/// Thread safety: all members may be called from any thread.
class lookup_history {
 public:
  struct note {
    std::int64_t at_ns = 0;
    std::uint64_t lookups = 0;
    std::uint64_t hits = 0;
  };

  explicit lookup_history(std::int64_t now_ns) : notes_{note{now_ns}}, due_ns_(now_ns + pause_ns) {}

  bool is_due(std::int64_t now_ns) const noexcept {
    return now_ns >= due_ns_.load(std::memory_order_relaxed);
  }

  void take(const note& now) {
    const std::lock_guard lock(mutex_);
    if (!is_due(now.at_ns)) return;
    due_ns_.store(now.at_ns + pause_ns, std::memory_order_relaxed);
    if (notes_.size() == capacity) notes_.erase(notes_.begin());
    notes_.push_back(now);
  }

  /// What has come since the newest note that is at least so old, or else the oldest one: the
  /// differences to `now`.
  note since(const note& now, std::chrono::nanoseconds window) const {
    const std::lock_guard lock(mutex_);
    const auto begin = now.at_ns - window.count();
    auto from = std::find_if(notes_.rbegin(), notes_.rend(),
                             [&](const note& n) { return n.at_ns <= begin; });
    const auto& then = from == notes_.rend() ? notes_.front() : *from;
    // Sums of counters that others change meanwhile.
    return {now.at_ns - then.at_ns, now.lookups - std::min(then.lookups, now.lookups),
            now.hits - std::min(then.hits, now.hits)};
  }

 private:
  static constexpr std::int64_t pause_ns = 10'000'000'000;
  /// An hour and a pause.
  static constexpr std::size_t capacity = 362;

  mutable std::mutex mutex_;
  std::vector<note> notes_;
  std::atomic<std::int64_t> due_ns_;
};

}  // namespace scalekit::cache::detail
