#pragma once

#include "cache/ghost_table.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace scalekit::cache::detail {

/// Decides how many of the cache's bytes are the window's, the part that admits every newcomer. It
/// climbs the hill of the hit ratio by its slope: two short lists of ghosts tell what a slightly
/// larger window and a slightly larger main space would have hit, and each such hit moves the
/// boundary by one entry. Caffeine tries a step and compares hit ratios; the slope needs no trial,
/// follows within a few hundred misses, and is not misled by a load that changes meanwhile.
///
/// The lists are a small part of the cache long. Longer ones tell the slope of a place too far
/// away: in a loop somewhat larger than the cache they would favour a window that never gets a hit.
///
/// Not thread-safe.
class window_climber {
 public:
  static std::size_t bytes_for(std::size_t entries) noexcept {
    return 2 * slots_for(entries) * ghost_table::slot_bytes;
  }

  window_climber(std::size_t max_bytes, std::size_t entries)
      : least_(max_bytes / 200),
        most_(max_bytes / 100 * 80),
        window_(least_),
        rejected_(slots_for(entries)),
        evicted_(slots_for(entries)) {}

  std::size_t bytes() const noexcept { return rejected_.bytes() + evicted_.bytes(); }
  std::size_t window_bytes() const noexcept { return window_; }

  /// A key left the window and was not admitted.
  void on_rejected(std::uint32_t hash) noexcept { rejected_.add(hash); }
  /// A key left the main space for one that was admitted.
  void on_evicted(std::uint32_t hash) noexcept { evicted_.add(hash); }

  /// A key of `bytes` comes in that was not there. `entries`: those of the cache.
  void on_newcomer(std::uint32_t hash, std::size_t bytes, std::size_t entries) noexcept {
    const auto depth = std::max<std::size_t>(2, entries / depth_part);
    if (rejected_.take(hash, depth)) {
      window_ = std::min(window_ + bytes, most_);
    } else if (evicted_.take(hash, depth)) {
      window_ = std::max(window_ - std::min(window_, bytes), least_);
    }
  }

  /// For about `entries` entries from now on. Forgets the ghosts.
  void resize(std::size_t entries) {
    rejected_.resize(slots_for(entries));
    evicted_.resize(slots_for(entries));
  }

 private:
  static constexpr std::size_t depth_part = 40;

  static std::size_t slots_for(std::size_t entries) noexcept {
    return std::max<std::size_t>(8, entries * 3 / depth_part);
  }

  std::size_t least_, most_, window_;
  ghost_table rejected_, evicted_;
};

}  // namespace scalekit::cache::detail
