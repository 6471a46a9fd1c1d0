#pragma once

#include "scalekit/cache/policy.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

// Decisions about time. No clock in here: all is told.

namespace scalekit::cache::detail {

using std::chrono::microseconds;

/// `ttl` varied by up to `share`, where `uniform` in [0, 1) says how far. Never below 1 ms.
inline microseconds jittered(microseconds ttl, double share, double uniform) noexcept {
  const double factor = 1.0 + share * (2.0 * uniform - 1.0);
  const auto varied = static_cast<std::int64_t>(static_cast<double>(ttl.count()) * factor);
  return std::max<microseconds>(microseconds(varied), std::chrono::milliseconds(1));
}

/// How long the memory tier keeps what has `left` to live; `memory_ttl` of 0 is no limit.
inline microseconds in_memory(microseconds left, microseconds memory_ttl) noexcept {
  return memory_ttl.count() > 0 ? std::min(left, memory_ttl) : left;
}

/// What is left of a value's times.
struct time_left {
  /// Of its time to live; zero or negative: it has been stale for so long.
  microseconds fresh{0};
  /// Until it is dead; zero: it is.
  microseconds kept{0};
};

/// What is left at wall time `now` of what was stored at `created` to be fresh until `fresh_until`
/// and to be kept until `expires` (all microseconds). A wall clock that was set back must not let
/// it live longer than it was given.
inline time_left left_to_live(std::int64_t created, std::int64_t fresh_until, std::int64_t expires,
                              std::int64_t now) noexcept {
  now = std::max(now, created);
  if (now >= expires) return {};
  const auto fresh = std::clamp<std::int64_t>(fresh_until, 0, expires);
  return {microseconds(fresh - now), microseconds(expires - now)};
}

}  // namespace scalekit::cache::detail
