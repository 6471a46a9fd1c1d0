// Where a read goes.

#include "db/topology/host_board.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::db::detail {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using verdict = timeline_board::verdict;

namespace {

/// After how many questions without success the next one comes: 0, 1, 2, 4, 8, 16, 16 ... ms.
nanoseconds pause_before(unsigned asked) {
  return asked == 0 ? 0ms : 1ms * (1U << std::min(asked - 1, 4U));
}

bool has_labels(const host_spec& host, const db::labels* wanted) {
  if (wanted == nullptr) return true;
  return std::all_of(wanted->begin(), wanted->end(), [&](const auto& label) {
    const auto found = host.labels.find(label.first);
    return found != host.labels.end() && found->second == label.second;
  });
}

}  // namespace

read_route host_board::reader(const read_request& request, time_point now,
                              random_generator& random) {
  auto route = find_reader(request, now, random);
  if (!request.failed_on || route.what != read_route::kind::refused) return route;
  // There is nothing else. Before it has answered again, it would only fail once more.
  const auto failed = hosts_.find(request.failed_on->host);
  const auto is_silent = [&](const host_evidence& host) {
    return host.last && host.is_doubted() && host.last->asked_at <= request.failed_on->at;
  };
  if (failed != hosts_.end() && is_silent(failed->second)) return route;
  auto anywhere = request;
  anywhere.failed_on.reset();
  return find_reader(anywhere, now, random);
}

read_route host_board::find_reader(const read_request& request, time_point now,
                                   random_generator& random) {
  const auto primary = elect_and_note(now);
  if (primary.why == refusal::starting || primary.why == refusal::mixed_clusters) {
    return refuse(primary.why, primary, request, now);
  }
  switch (request.how.what()) {
    case consistency::kind::primary:
      return use_primary(primary, request, now);
    case consistency::kind::bounded:
      return read_bounded(request, primary, now, random);
    case consistency::kind::after:
      if (!request.how.token().is_empty()) return read_after(request, primary, now, random);
      break;
    case consistency::kind::own_writes:
    case consistency::kind::any:
      break;
  }
  return read_any(request, primary, now, random);
}

read_route host_board::read_any(const read_request& request, const election& primary,
                                time_point now, random_generator& random) {
  candidates_.clear();
  for (const auto& [id, host] : hosts_) {
    if (is_replica(id, host, request, now) && !is_behind(host)) candidates_.push_back({id, &host});
  }
  if (candidates_.empty() && primary.why == refusal::split_brain) {
    for (const auto& [id, host] : hosts_) {
      const bool is_one = host.is_live(now, params_.evidence_lease) && is_of_cluster(host) &&
                          host.is_primary() && has_labels(host.spec, request.labels);
      if (is_one) candidates_.push_back({id, &host});
    }
  }
  if (!candidates_.empty()) return use(choose(now, random), false);
  return use_primary(primary, request, now);
}

read_route host_board::read_bounded(const read_request& request, const election& primary,
                                    time_point now, random_generator& random) {
  if (primary.why == refusal::split_brain) return refuse(primary.why, primary, request, now);
  candidates_.clear();
  for (const auto& [id, host] : hosts_) {
    if (!is_replica(id, host, request, now) || !host.has_sure_position()) continue;
    const auto fresh = primary_log_.fresh_as_of(host.last->position);
    if (fresh && now - *fresh <= request.how.lag()) candidates_.push_back({id, &host});
  }
  if (!candidates_.empty()) return use_as_told(choose(now, random));
  return use_primary(primary, request, now);
}

read_route host_board::read_after(const read_request& request, const election& primary,
                                  time_point now, random_generator& random) {
  const auto& token = request.how.token();
  const log_place wanted{token.timeline(), {token.lsn()}};
  const bool is_foreign = token.from() != causal_token::origin::postgres ||
                          (system_id_ != 0 && token.system_id() != system_id_);
  if (is_foreign) return refuse(refusal::foreign_token, primary, request, now);
  if (primary.why == refusal::split_brain) return refuse(primary.why, primary, request, now);

  bool primary_has_it = false;
  if (primary.primary) {
    const auto timeline = hosts_.at(*primary.primary).last->timeline;
    const auto judged = timelines_.judge(wanted, timeline);
    if (judged == verdict::lost) return refuse(refusal::token_lost, primary, request, now);
    // A later timeline than the primary's: there is a newer primary, which we have yet to find.
    primary_has_it = judged == verdict::included ||
                     (judged == verdict::unknown && (timeline == 0 || wanted.timeline < timeline));
  }

  candidates_.clear();
  std::optional<host_id> nearly;
  for (const auto& [id, host] : hosts_) {
    if (!is_replica(id, host, request, now) || !host.tells_position() || is_behind(host)) continue;
    if (timelines_.judge(wanted, host.last->timeline) != verdict::included) continue;
    const auto has = host.place().at;
    if (has >= wanted.at && host.has_sure_position()) {
      candidates_.push_back({id, &host});
    } else if (!nearly || hosts_.at(*nearly).place().at < has) {
      nearly = id;
    }
  }
  if (!candidates_.empty()) return use_as_told(choose(now, random));

  const bool can_use_primary =
      primary_has_it && has_labels(hosts_.at(*primary.primary).spec, request.labels);
  const auto next = now + pause_before(request.asked);
  const auto last = can_use_primary ? std::min(request.until, request.begun + params_.catch_up_wait)
                                    : request.until;
  if (nearly && next < last) {
    return {.what = read_route::kind::ask, .host = *nearly, .when = next};
  }
  if (primary.primary && !primary_has_it) {
    return refuse(refusal::no_primary, primary, request, now);
  }
  return use_primary(primary, request, now);
}

bool host_board::is_replica(host_id id, const host_evidence& host, const read_request& request,
                            time_point now) const {
  const bool has_failed = request.failed_on && request.failed_on->host == id;
  return !has_failed && host.is_live(now, params_.evidence_lease) && host.is_standby() &&
         is_of_cluster(host) && has_labels(host.spec, request.labels) && !is_diverged(host);
}

bool host_board::is_behind(const host_evidence& host) const {
  if (host.last->position == lsn{}) return false;
  const auto lag = primary_log_.lag(host.last->position, host.last->asked_at);
  return lag && *lag > params_.max_replica_lag;
}

/// It has replayed what is not part of the primary's history.
bool host_board::is_diverged(const host_evidence& host) const {
  return timelines_.judge(host.place(), writer_timeline_) == verdict::lost;
}

/// Latency times calls in flight tells, where it differs clearly; else the calls alone, or of two
/// replicas that are alike the one with the luckier measurements would get all.
bool host_board::has_more_to_do(const host_evidence& a, const host_evidence& b) {
  constexpr double clearly = 1.5;
  const auto load = [](const host_evidence& host) {
    return static_cast<double>(host.latency.count()) * static_cast<double>(host.in_flight + 1);
  };
  if (load(a) > clearly * load(b)) return true;
  if (load(b) > clearly * load(a)) return false;
  return a.in_flight > b.in_flight;
}

/// One of the candidates: undoubted and near ones first, a growing share for who came back lately,
/// and of any two the one with less to do.
host_id host_board::choose(time_point now, random_generator& random) {
  const auto prefer = [this](auto is_better) {
    const auto best = std::stable_partition(candidates_.begin(), candidates_.end(), is_better);
    if (best != candidates_.begin()) candidates_.erase(best, candidates_.end());
  };
  prefer([](const candidate& c) { return !c.host->is_doubted(); });
  prefer([](const candidate& c) { return c.host->is_near; });
  prefer([&](const candidate& c) {
    const auto back_for = now - c.host->back_since;
    if (back_for >= params_.slow_start) return true;
    const auto share = std::chrono::duration<double>(back_for) / params_.slow_start;
    return random.uniform() < share;
  });
  const auto n = candidates_.size();
  const auto first = random() % n;
  if (n == 1) return candidates_[first].id;
  const auto second = (first + 1 + random() % (n - 1)) % n;
  const bool first_is_worse = has_more_to_do(*candidates_[first].host, *candidates_[second].host);
  return candidates_[first_is_worse ? second : first].id;
}

read_route host_board::use(host_id host, bool on_primary) const {
  return {.what = read_route::kind::use,
          .host = host,
          .on_primary = on_primary,
          .generation = generation_};
}

read_route host_board::use_as_told(host_id host) const {
  auto route = use(host, false);
  route.as_of = hosts_.at(host).position_as_of;
  return route;
}

read_route host_board::use_primary(const election& primary, const read_request& request,
                                   time_point now) const {
  if (!primary.primary || primary.why == refusal::split_brain) {
    return refuse(primary.why, primary, request, now);
  }
  if (!has_labels(hosts_.at(*primary.primary).spec, request.labels)) {
    return refuse(refusal::no_replica, primary, request, now);
  }
  auto route = use(*primary.primary, true);
  route.as_of = hosts_.at(route.host).last->asked_at;
  return route;
}

read_route host_board::refuse(refusal why, const election& primary, const read_request& request,
                              time_point now) const {
  return {.what = read_route::kind::refused,
          .why = why,
          .generation = generation_,
          .explanation = explain(why, primary, &request, now)};
}

}  // namespace scalekit::db::detail
