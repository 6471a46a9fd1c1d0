// The state of the hosts in words, for who reads an error at night.

#include "db/topology/host_board.hpp"
#include "scalekit/core/settings_text.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::db::detail {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;
using verdict = timeline_board::verdict;

namespace {

std::string rounded(nanoseconds d) {
  if (d >= 2s) return format_duration(std::chrono::floor<std::chrono::seconds>(d));
  return format_duration(
      std::chrono::floor<std::chrono::milliseconds>(std::max(d, nanoseconds(0))));
}

std::string on_timeline(std::uint32_t timeline) {
  return timeline == 0 ? "" : ", timeline " + std::to_string(timeline);
}

}  // namespace

std::string host_board::state_of(const host_evidence& host, time_point now) const {
  const bool is_live = host.is_live(now, params_.evidence_lease);
  if (!is_live && host.failing_since) {
    return "unreachable for " + rounded(now - *host.failing_since) + ": " + host.failure;
  }
  if (!host.last) return "not heard of yet";
  if (!is_live) return "silent for " + rounded(now - host.last->asked_at);
  if (system_id_ != 0 && !is_of_cluster(host)) {
    return "of another cluster, " + std::to_string(host.last->system_id);
  }
  std::string text;
  if (!host.is_standby()) {
    text = "primary" + on_timeline(host.last->timeline);
    if (!host.is_primary()) text += ", refused a write";
    if (host.last->read_only) text += ", read-only";
    if (is_replaced(host))
      text += ", which timeline " + std::to_string(writer_timeline_) + " replaced";
  } else {
    text = "replica";
    const auto behind = host.last->position == lsn{}
                            ? std::nullopt
                            : primary_log_.lag(host.last->position, host.last->asked_at);
    text += behind ? ", lag " + rounded(*behind) : ", lag unknown";
    if (is_diverged(host)) text += ", diverged from timeline " + std::to_string(writer_timeline_);
  }
  if (host.failing_since && !host.failure.empty()) text += ", doubted: " + host.failure;
  return text;
}

std::string host_board::describe(time_point now) const {
  std::string text;
  for (const auto& [id, host] : hosts_) {
    if (!text.empty()) text += "; ";
    text.append(to_string(host.spec)).append(" ").append(state_of(host, now));
  }
  return text.empty() ? "there are no hosts" : text;
}

std::string host_board::explain(refusal why, const election& primary, const read_request* request,
                                time_point now) const {
  const auto name = [this](const std::optional<host_id>& id) {
    return to_string(hosts_.at(id.value()).spec);
  };
  std::string text;
  switch (why) {
    case refusal::none:
      break;
    case refusal::starting:
      text = "not every host was heard of yet";
      break;
    case refusal::no_primary:
      text = primary.primary && request == nullptr ? "the primary takes no writes"
             : primary.primary ? "the causal token is of a later timeline than the primary's, and "
                                 "the newer primary is not known yet"
                               : "no host is known to be primary";
      break;
    case refusal::split_brain:
      text = "split brain: " + name(primary.primary) + " and " + name(primary.rival) +
             " are both primary and neither continues the other's timeline; nothing may be "
             "written until one of them is stopped";
      break;
    case refusal::mixed_clusters:
      text = "the hosts belong to different clusters, and none of these is in the majority";
      break;
    case refusal::no_replica:
      text = "no host with the labels " + format_labels(*request->labels) + " can serve this read";
      break;
    case refusal::foreign_token:
      text = "the causal token is of another database than these hosts, of the cluster " +
             std::to_string(system_id_);
      break;
    case refusal::token_lost: {
      const auto& token = request->how.token();
      text = "the write that the causal token stands for (timeline " +
             std::to_string(token.timeline()) + ", " + to_string(lsn{token.lsn()}) +
             ") is not part of the primary's history: it was lost in a promotion";
      break;
    }
  }
  return text + ": " + describe(now);
}

}  // namespace scalekit::db::detail
