#include "db/topology/primary_log.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace scalekit::db::detail {
namespace {

constexpr std::size_t most_entries = 256;

}  // namespace

void primary_log::add(time_point asked_at, lsn position) {
  if (position == lsn{}) return;
  if (entries_.empty()) {
    entries_.push_back({position, asked_at, asked_at});
    return;
  }
  auto& newest = entries_.back();
  if (asked_at < newest.last_seen || position < newest.position) return;
  if (position == newest.position) {
    newest.last_seen = asked_at;
    return;
  }
  entries_.push_back({position, asked_at, asked_at});
  if (entries_.size() > most_entries) thin();
}

/// Leaves gaps of about a sixteenth of their age.
void primary_log::thin() {
  const auto newest = entries_.back().last_seen;
  std::size_t kept = 1;
  for (std::size_t i = 1; i + 1 < entries_.size(); ++i) {
    const auto gap = entries_[i + 1].first_seen - entries_[kept - 1].last_seen;
    if (gap * 16 > newest - entries_[i].last_seen) entries_[kept++] = entries_[i];
  }
  entries_[kept++] = entries_.back();
  entries_.resize(kept);
  // Ages beyond anybody's interest.
  if (kept > most_entries) entries_.erase(entries_.begin(), entries_.begin() + most_entries / 4);
}

std::optional<std::chrono::nanoseconds> primary_log::lag(lsn replayed, time_point asked_at) const {
  if (entries_.empty()) return std::nullopt;
  const auto beyond = std::upper_bound(entries_.begin(), entries_.end(), replayed,
                                       [](lsn at, const entry& e) { return at < e.position; });
  if (beyond == entries_.end()) return std::chrono::nanoseconds::zero();
  const auto until = std::min(asked_at, entries_.back().last_seen);
  return std::max(std::chrono::nanoseconds::zero(),
                  std::chrono::nanoseconds(until - beyond->first_seen));
}

std::optional<time_point> primary_log::fresh_as_of(lsn replayed) const {
  const auto beyond = std::upper_bound(entries_.begin(), entries_.end(), replayed,
                                       [](lsn at, const entry& e) { return at < e.position; });
  if (beyond == entries_.begin()) return std::nullopt;
  return std::prev(beyond)->last_seen;
}

}  // namespace scalekit::db::detail
