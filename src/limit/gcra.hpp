#pragma once

// The generic cell rate algorithm in whole nanoseconds. Decisions only: no clock, no storage.
//
// A key is one number, its theoretical arrival time (TAT): the moment its bucket is full again.
// A TAT in the past, 0 included, is a full bucket.

#include <algorithm>
#include <cstdint>

namespace scalekit::limit::detail {

/// Nanoseconds since the limiter began. Never negative.
using nanos = std::int64_t;

struct gcra {
  /// What one unit of cost adds to the TAT.
  nanos interval = 1;
  /// burst * interval: how far ahead of now the TAT may be.
  nanos tolerance = 1;

  /// Rounds the gap between calls up, so that the rate is never above limit / per.
  static constexpr gcra of(std::uint64_t limit, nanos per, std::uint64_t burst) noexcept {
    auto n = static_cast<nanos>(limit);
    auto interval = (per + n - 1) / n;
    return {interval, interval * static_cast<nanos>(burst)};
  }

  /// The TAT after spending `charge` nanoseconds' worth. A `now` older than one seen before is
  /// harmless: the TAT never moves back.
  static constexpr nanos after(nanos tat, nanos now, nanos charge) noexcept {
    return std::max(tat, now) + charge;
  }

  /// How long until `charge` would be admitted; zero or less: it is admitted now.
  constexpr nanos wait(nanos tat, nanos now, nanos charge) const noexcept {
    return after(tat, now, charge) - tolerance - now;
  }

  /// Units that may be spent at once. Zero when an older `now` sees a TAT too far ahead.
  constexpr std::uint64_t remaining(nanos tat, nanos now) const noexcept {
    auto room = tolerance - (std::max(tat, now) - now);
    return room <= 0 ? 0 : static_cast<std::uint64_t>(room / interval);
  }

  static constexpr nanos until_full(nanos tat, nanos now) noexcept {
    return std::max(tat, now) - now;
  }
};

}  // namespace scalekit::limit::detail
