#include "db/topology/host_evidence.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::db::detail {

void host_evidence::take(host_sample seen, time_point now, bool was_live) {
  const bool is_unbroken = was_live && !is_doubted() && last->in_recovery && seen.in_recovery &&
                           last->system_id == seen.system_id;
  if (seen.timeline != 0 || !is_unbroken) {
    timeline_until = seen.position;
  } else {
    // A standby whose primary is gone no longer tells its timeline. Nothing was heard that a
    // restart could have caused, so that it has what it had. No more is sure: even of what it
    // received already it may drop a part to follow another timeline.
    seen.timeline = last->timeline;
  }
  if (!was_live) back_since = now;
  average(std::max(now - seen.asked_at, std::chrono::nanoseconds{1}));
  last = std::move(seen);
  position_as_of = last->asked_at;
  if (last->asked_at > down_at) {
    failing_since.reset();
    failure.clear();
  }
}

void host_evidence::take(host_error what, std::string why, time_point now) {
  switch (what) {
    case host_error::read_only:
      demoted_at = std::max(demoted_at, now);
      return;
    case host_error::shutting_down:
    case host_error::refused:
      down_at = std::max(down_at, now);
      break;
    case host_error::lost:
      doubted_at = std::max(doubted_at, now);
      break;
  }
  if (!failing_since) failing_since = now;
  failure = std::move(why);
}

void host_evidence::average(std::chrono::nanoseconds took) {
  latency = latency == latency.zero() ? took : latency + (took - latency) / 8;
}

}  // namespace scalekit::db::detail
