#include "redis/hop.hpp"

#include <algorithm>
#include <string_view>

namespace scalekit::redis::detail {
namespace {

using step = hop_plan::step;

struct hop_row {
  std::string_view says;
  hop_end means;
};

/// By more than the first word where a script could say the same after it has written something.
/// Of what a server quotes nothing is left (server_error.cpp).
constexpr hop_row hop_rows[] = {
    {"MOVED ", hop_end::moved},
    {"ASK ", hop_end::ask},
    {"TRYAGAIN Multiple keys request", hop_end::try_again},
    {"CLUSTERDOWN The cluster is down", hop_end::cluster_down},
    {"CLUSTERDOWN Hash slot not served", hop_end::cluster_down},
    {"LOADING ", hop_end::not_ready},
    {"MASTERDOWN Link with MASTER is down", hop_end::not_ready},
    {"READONLY You can", hop_end::not_ready},
};

bool is_refresh_due(hop_end end) noexcept {
  return end != hop_end::ask && end != hop_end::try_again && end != hop_end::final;
}

hop_plan pause_for(hop_plan plan, hop_history& h, const hop_bounds& b) noexcept {
  plan.pause = backoff_delay(b.pauses, ++h.pauses, b.random);
  plan.next = b.now + plan.pause < b.until ? step::pause : step::give_up;
  return plan;
}

hop_plan follow(hop_plan plan, hop_history& h, const hop_bounds& b) noexcept {
  plan.to_named = true;
  if (++h.redirects > max_redirects) {
    plan.is_lost = true;
    return plan;
  }
  plan.next = step::resend;
  return h.redirects <= redirects_at_once ? plan : pause_for(plan, h, b);
}

}  // namespace

hop_end hop_end_of(const error& e) noexcept {
  const std::string_view said = e.diag().server_message;
  // What may have been run is never sent again, whatever the server said.
  if (outcome_unknown(e)) return hop_end::no_answer;
  for (const auto& each : hop_rows) {
    if (said.starts_with(each.says)) return each.means;
  }
  if (!said.empty()) return hop_end::final;
  switch (static_cast<errc>(e.code().value())) {
    case errc::unavailable:
    case errc::acquire_timeout:
    case errc::connection_lost:
    case errc::closed:
      return hop_end::unreachable;
    case errc::execution_timeout:
      return hop_end::no_answer;
    default:
      return hop_end::final;
  }
}

hop_plan plan_hop(hop_end end, hop_history& h, const hop_bounds& b) noexcept {
  hop_plan plan{.refreshes_map = is_refresh_due(end)};
  if (end == hop_end::final || end == hop_end::no_answer) return plan;
  if (end != hop_end::unreachable) h.unreachable_since = time_point::max();
  if (b.now >= b.until) return plan;
  switch (end) {
    case hop_end::moved:
      plan.corrects_map = true;
      return follow(plan, h, b);
    case hop_end::ask:
      plan.with_asking = true;
      return follow(plan, h, b);
    case hop_end::unreachable:
      if (b.was_at_replica) break;
      h.unreachable_since = std::min(h.unreachable_since, b.now);
      if (b.now - h.unreachable_since >= b.acquire_timeout) return plan;
      return pause_for(plan, h, b);
    default:
      if (b.was_at_replica) break;
      // It waits for the nodes, and they have not sent it round in circles.
      h.redirects = 0;
      return pause_for(plan, h, b);
  }
  plan.next = step::resend;
  return plan;
}

}  // namespace scalekit::redis::detail
