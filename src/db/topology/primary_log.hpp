#pragma once

#include "db/topology/lsn.hpp"
#include "scalekit/core/clock.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace scalekit::db::detail {

/// How far the primary's log was at what time, to tell the lag of a standby in time without
/// anybody's clock but ours. Older entries are kept ever more sparsely. Of one timeline.
class primary_log {
 public:
  /// Entries that go back in time or position are ignored.
  void add(time_point asked_at, lsn position);

  void clear() { entries_.clear(); }

  /// How long, up to the last word of the primary, the log was known to be beyond `replayed`, for
  /// a standby asked at `asked_at`. An idle primary is no lag, and neither is a silent one.
  /// Nothing while nothing is known of the primary.
  std::optional<std::chrono::nanoseconds> lag(lsn replayed, time_point asked_at) const;

  /// Since when, at worst, what `replayed` lacks was acknowledged: what was acknowledged before
  /// is there. Nothing where that cannot be told.
  std::optional<time_point> fresh_as_of(lsn replayed) const;

 private:
  struct entry {
    lsn position;
    time_point first_seen;
    time_point last_seen;
  };

  void thin();

  std::vector<entry> entries_;
};

}  // namespace scalekit::db::detail
