#pragma once

// Which write is part of which history, across promotions.

#include "db/topology/lsn.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

namespace scalekit::db::detail {

/// A place in the log, of which LSNs alone know nothing: after a promotion the same number comes
/// again on another timeline. Timeline 0 is unknown.
struct log_place {
  std::uint32_t timeline = 0;
  lsn at;

  friend bool operator==(const log_place&, const log_place&) = default;
};

/// `timeline` was left at `at`: what it has beyond is not part of the timelines after it. Where
/// only bounds are known, the switch lies from `at` to `latest`, both included.
struct timeline_switch {
  std::uint32_t timeline = 0;
  lsn at;
  lsn latest;

  friend bool operator==(const timeline_switch&, const timeline_switch&) = default;
};

/// The text of a timeline history file: what TIMELINE_HISTORY and pg_read_file give. Oldest
/// first. Throws errc::backend_error naming the line that is none.
std::vector<timeline_switch> parse_timeline_history(std::string_view text);

/// What is known of the timelines of one cluster.
class timeline_board {
 public:
  /// The history file of `timeline`: all its ancestors.
  void learn(std::uint32_t timeline, std::vector<timeline_switch> ancestors);

  /// A standby last seen at `before` was promoted, without a restart between, to `timeline`, which
  /// had come to `reached` when it was first seen. Never replaces a history file.
  void saw_promotion(std::uint32_t timeline, log_place before, lsn reached);

  /// True when the history file of `timeline` is known; 1 has none, and needs none.
  bool knows(std::uint32_t timeline) const;

  enum class verdict {
    /// Part of the timeline's history: whoever is at or beyond the LSN on it has it.
    included,
    /// Not part of it, and never will be.
    lost,
    /// On a descendant of the timeline: not part of it yet.
    ahead,
    unknown,
  };
  verdict judge(log_place place, std::uint32_t timeline) const;

  /// True when `ancestor` is known to be an ancestor of `timeline`, and not the same.
  bool descends(std::uint32_t timeline, std::uint32_t ancestor) const;

  void clear() { histories_.clear(); }

 private:
  /// Oldest first. Not whole: of timelines older than those nothing is known.
  struct history {
    std::vector<timeline_switch> ancestors;
    bool is_whole = false;
  };

  history find(std::uint32_t timeline) const;

  /// As learnt; of a promotion that was seen, the parent alone.
  std::map<std::uint32_t, history> histories_;
};

}  // namespace scalekit::db::detail
