#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace scalekit::cache::detail {

/// A hierarchical timer wheel (Varghese, Lauck 1987): four wheels of 32 buckets, each turning 32
/// times slower than the one before. Timers are numbers 0 to size() - 1; time is told in ticks.
/// Setting one is O(1); a timer is touched at most once a wheel on its way to its time; however
/// long nobody asks, an advance() looks into no more than 128 buckets.
///
/// Not thread-safe.
class timer_wheel {
 public:
  using tick = std::uint32_t;

  static constexpr tick never = std::numeric_limits<tick>::max();
  static constexpr std::size_t timer_bytes = 12;

  timer_wheel(std::size_t timers, tick now) : timers_(timers), now_(now) { heads_.fill(none); }

  std::size_t size() const noexcept { return timers_.size(); }
  std::size_t bytes() const noexcept { return size() * timer_bytes; }
  tick now() const noexcept { return now_; }

  /// Sees to it that the timer fires by `due`, or earlier if it was to.
  void set(std::uint32_t timer, tick due) noexcept {
    if (timers_[timer].due <= due) return;
    if (timers_[timer].due != never) unlink(timer);
    link(timer, std::max(due, now_ + 1));
  }

  /// Calls `fire(timer)` for those due by `now`, up to `most` of them; what it returns is the
  /// timer's next time, or `never`. False: there are more; advance again. Time does not go back.
  template <class Fire>
  bool advance(tick now, int most, Fire fire) {
    if (now <= now_) return true;
    const auto before = now_;
    now_ = now;
    for (unsigned level = 0; level < levels; ++level) {
      const auto from = before >> (level * bits), to = now >> (level * bits);
      if (from == to) break;
      const auto steps = std::min(to - from, buckets);
      for (tick step = 1; step <= steps; ++step) {
        if (!turn(level * buckets + (from + step) % buckets, most, fire)) {
          now_ = before;
          return false;
        }
      }
    }
    return true;
  }

 private:
  static constexpr unsigned bits = 5, levels = 4;
  static constexpr tick buckets = 1 << bits;
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();
  /// In `previous`: the rest is the number of a bucket, whose first this is.
  static constexpr std::uint32_t first_of = std::uint32_t{1} << 31;

  struct timer_node {
    std::uint32_t next = none, previous = none;
    tick due = never;
  };
  static_assert(sizeof(timer_node) == timer_bytes);

  template <class Fire>
  bool turn(std::uint32_t bucket, int& most, Fire& fire) {
    for (auto timer = heads_[bucket]; timer != none;) {
      // Whoever is linked again below goes to the front of a bucket: behind us.
      const auto next = timers_[timer].next;
      const auto due = timers_[timer].due;
      if (due > now_) {
        unlink(timer);
        link(timer, due);
      } else {
        if (most-- <= 0) return false;
        unlink(timer);
        timers_[timer].due = never;
        set(timer, fire(timer));
      }
      timer = next;
    }
    return true;
  }

  std::uint32_t bucket_of(tick due) const noexcept {
    const auto left = due - now_;
    unsigned level = 0;
    while (level + 1 < levels && left >= tick{1} << ((level + 1) * bits)) ++level;
    // What lies beyond the slowest wheel's turn is looked at once a turn.
    const auto seen = std::min(left, (tick{1} << (levels * bits)) - 1);
    return level * buckets + ((now_ + seen) >> (level * bits)) % buckets;
  }

  void link(std::uint32_t timer, tick due) noexcept {
    const auto bucket = bucket_of(due);
    auto& node = timers_[timer];
    node = {heads_[bucket], first_of | bucket, due};
    if (node.next != none) timers_[node.next].previous = timer;
    heads_[bucket] = timer;
  }

  void unlink(std::uint32_t timer) noexcept {
    const auto& node = timers_[timer];
    if (node.next != none) timers_[node.next].previous = node.previous;
    if (node.previous & first_of) {
      heads_[node.previous & ~first_of] = node.next;
    } else {
      timers_[node.previous].next = node.next;
    }
  }

  std::vector<timer_node> timers_;
  std::array<std::uint32_t, levels * buckets> heads_;
  tick now_;
};

}  // namespace scalekit::cache::detail
