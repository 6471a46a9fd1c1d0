#include "db/topology/host_board.hpp"

#include "core/require.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::db::detail {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

namespace {

constexpr nanoseconds shortest_probe_gap = 50ms;

}  // namespace

host_board::host_board(topology_params params) : params_(std::move(params)) {
  scalekit::detail::require_range("evidence_lease", params_.evidence_lease,
                                  2 * params_.monitor_interval, 10min);
}

host_id host_board::add(host_spec spec, time_point now) {
  const auto region = spec.labels.find("region");
  const bool is_near = region != spec.labels.end() && region->second == params_.region;
  hosts_.emplace(next_id_,
                 host_evidence{.spec = std::move(spec), .added_at = now, .is_near = is_near});
  return next_id_++;
}

void host_board::remove(host_id host) {
  hosts_.erase(host);
  if (writer_ != host) return;
  // Whoever takes a host out answers for what it alone had.
  writer_.reset();
  writer_timeline_ = 0;
}

std::vector<host_id> host_board::hosts() const {
  std::vector<host_id> all;
  for (const auto& [id, host] : hosts_) all.push_back(id);
  return all;
}

void host_board::sample(host_id id, const host_sample& seen, time_point now) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end() || seen.system_id == 0) return;
  auto& host = found->second;
  if (host.last && seen.asked_at < host.last->asked_at) return;
  const bool was_live = host.is_live(now, params_.evidence_lease);
  const bool was_promoted = was_live && !host.is_doubted() && host.is_standby() &&
                            !seen.in_recovery && is_of_cluster(host);
  if (was_promoted && host.last->system_id == seen.system_id) {
    timelines_.saw_promotion(seen.timeline, host.place(), seen.position);
  }
  host.take(seen, now, was_live);
  settle_cluster(now);
  const auto elected = elect_and_note(now);
  if (elected.primary == id) primary_log_.add(seen.asked_at, seen.position);
}

void host_board::error_seen(host_id id, host_error what, std::string why, time_point now) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end()) return;
  found->second.take(what, std::move(why), now);
  found->second.probe_now = true;
  elect_and_note(now);
}

void host_board::parameter_status(host_id id, const host_parameters& seen, time_point now) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end() || !found->second.last) return;
  auto& host = found->second;
  const bool no_writes = seen.in_hot_standby == true || seen.default_transaction_read_only == true;
  if (no_writes && host.is_writable()) {
    host.demoted_at = std::max(host.demoted_at, now);
    host.probe_now = true;
    elect_and_note(now);
  } else if (seen.in_hot_standby == false && host.is_standby()) {
    // Promoted, it seems: on what timeline only a probe can tell.
    host.probe_now = true;
  }
}

void host_board::connected_anew(host_id id, time_point when) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end()) return;
  found->second.connected_anew_at = std::max(found->second.connected_anew_at, when);
}

void host_board::replayed(host_id id, log_place place, time_point asked_at) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end()) return;
  auto& host = found->second;
  if (!host.last || !host.is_standby() || asked_at < host.last->asked_at) return;
  if (asked_at < host.position_as_of) return;
  if (place.timeline == host.last->timeline) {
    host.last->position = host.timeline_until = place.at;
    host.position_as_of = asked_at;
  } else if (place.timeline != 0) {
    host.probe_now = true;
  }
}

void host_board::learn_history(std::uint32_t timeline, std::vector<timeline_switch> ancestors) {
  timelines_.learn(timeline, std::move(ancestors));
}

void host_board::call_began(host_id id) {
  const auto found = hosts_.find(id);
  if (found != hosts_.end()) ++found->second.in_flight;
}

void host_board::call_ended(host_id id, std::optional<nanoseconds> took) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end()) return;
  if (found->second.in_flight > 0) --found->second.in_flight;
  if (took) found->second.average(*took);
}

time_point host_board::probe_at(host_id id, time_point now) const {
  const auto& host = hosts_.at(id);
  if (!host.probed_at) return host.added_at;
  if (host.probe_now) return *host.probed_at + shortest_probe_gap;
  const bool is_urgent = elect(now).why != refusal::none;
  const auto gap = is_urgent ? std::max(shortest_probe_gap, params_.monitor_interval / 5)
                             : params_.monitor_interval;
  return *host.probed_at + gap;
}

void host_board::probe_began(host_id id, time_point now) {
  const auto found = hosts_.find(id);
  if (found == hosts_.end()) return;
  found->second.probed_at = now;
  found->second.probe_now = false;
}

bool host_board::wants_history() const {
  return writer_timeline_ != 0 && !timelines_.knows(writer_timeline_);
}

write_route host_board::writer(time_point now) {
  const auto elected = elect_and_note(now);
  if (elected.why == refusal::none) return {refusal::none, *elected.primary, generation_, {}};
  return {elected.why, 0, generation_, explain(elected.why, elected, nullptr, now)};
}

std::optional<nanoseconds> host_board::lag(host_id id) const {
  const auto found = hosts_.find(id);
  if (found == hosts_.end() || !found->second.last) return std::nullopt;
  const auto& last = *found->second.last;
  if (!last.in_recovery || last.position == lsn{}) return std::nullopt;
  return primary_log_.lag(last.position, last.asked_at);
}

}  // namespace scalekit::db::detail
