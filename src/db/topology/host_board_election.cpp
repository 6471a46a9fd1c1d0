// Who is primary, and of which cluster.

#include "db/topology/host_board.hpp"

#include <algorithm>
#include <map>

namespace scalekit::db::detail {
namespace {

/// What its log says, to be set against that of another primary.
bool supersedes(const host_evidence& one, const host_evidence& other,
                const timeline_board& timelines) {
  if (one.last->timeline == other.last->timeline) {
    return one.is_writable() && !other.is_writable();
  }
  return timelines.descends(one.last->timeline, other.last->timeline);
}

}  // namespace

bool host_board::is_of_cluster(const host_evidence& host) const {
  return host.last && host.last->system_id == system_id_;
}

bool host_board::is_starting(time_point now) const {
  if (generation_ > 0) return false;
  return std::any_of(hosts_.begin(), hosts_.end(), [&](const auto& each) {
    const auto& host = each.second;
    return !host.last && !host.failing_since && now < host.added_at + params_.monitor_interval;
  });
}

void host_board::settle_cluster(time_point now) {
  std::map<std::uint64_t, std::size_t> votes;
  std::size_t live = 0;
  for (const auto& [id, host] : hosts_) {
    if (!host.is_live(now, params_.evidence_lease)) continue;
    ++live;
    ++votes[host.last->system_id];
  }
  if (votes.empty()) return;
  if (system_id_ != 0) {
    // Replaced as a whole, by an upgrade for one. Anything less is a stranger among them.
    const bool all_agree = live == hosts_.size() && votes.size() == 1;
    if (!all_agree || votes.begin()->first == system_id_) return;
  } else if (is_starting(now)) {
    return;
  }
  const auto most = std::max_element(
      votes.begin(), votes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool is_tie = std::any_of(votes.begin(), votes.end(), [&](const auto& v) {
    return v.first != most->first && v.second == most->second;
  });
  if (is_tie) return;
  // Histories that were read before are of this cluster where nobody was heard of another one.
  const bool is_first = system_id_ == 0;
  system_id_ = most->first;
  const bool is_only = std::all_of(hosts_.begin(), hosts_.end(), [this](const auto& each) {
    return !each.second.last || is_of_cluster(each.second);
  });
  if (!is_first || !is_only) timelines_.clear();
  primary_log_.clear();
  writer_.reset();
  writer_timeline_ = 0;
}

host_board::election host_board::elect(time_point now) const {
  if (is_starting(now)) return {refusal::starting};
  // A primary, demoted or not, that another one would have to supersede.
  const auto is_contender = [&](const host_evidence& host) {
    return host.is_live(now, params_.evidence_lease) && !host.is_standby() && is_of_cluster(host);
  };
  election result;
  for (const auto& [id, host] : hosts_) {
    if (!is_contender(host)) {
      const bool is_stranger = host.is_live(now, params_.evidence_lease) && system_id_ == 0;
      if (is_stranger) result.why = refusal::mixed_clusters;
      continue;
    }
    const auto rival = std::find_if(hosts_.begin(), hosts_.end(), [&](const auto& other) {
      return other.first != id && is_contender(other.second) &&
             !supersedes(host, other.second, timelines_);
    });
    if (rival == hosts_.end()) {
      if (!host.is_primary() || is_replaced(host)) break;
      return {host.is_writable() ? refusal::none : refusal::no_primary, id, std::nullopt};
    }
    if (!result.primary && !supersedes(rival->second, host, timelines_)) {
      result = {refusal::split_brain, id, rival->first};
    }
  }
  return result;
}

/// What was written since on the timeline after its own would be lost from view.
bool host_board::is_replaced(const host_evidence& host) const {
  return host.last->timeline != 0 && host.last->timeline < writer_timeline_;
}

host_board::election host_board::elect_and_note(time_point now) {
  if (system_id_ == 0) settle_cluster(now);
  const auto elected = elect(now);
  if (elected.why != refusal::none) return elected;
  const auto& last = *hosts_.at(*elected.primary).last;
  const bool is_new_timeline =
      last.timeline != 0 && writer_timeline_ != 0 && last.timeline != writer_timeline_;
  if (writer_ != elected.primary || is_new_timeline) {
    ++generation_;
    writer_ = elected.primary;
    primary_log_.clear();
    primary_log_.add(last.asked_at, last.position);
  }
  if (last.timeline != 0) writer_timeline_ = last.timeline;
  return elected;
}

}  // namespace scalekit::db::detail
