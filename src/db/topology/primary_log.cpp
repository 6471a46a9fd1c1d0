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
  if (entries_.size() <= most_entries) return;
  // Every other one of the older half goes.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (i % 2 == 0 || i > most_entries / 2) entries_[kept++] = entries_[i];
  }
  entries_.resize(kept);
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
