#pragma once

#include "db/topology/host_sample.hpp"
#include "db/topology/host_spec.hpp"
#include "db/topology/timeline_board.hpp"
#include "scalekit/core/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace scalekit::db::detail {

/// What a host_board knows of one host. Facts and what follows from them alone.
struct host_evidence {
  host_spec spec;
  time_point added_at;
  bool is_near = false;

  /// The newest answer. Its timeline may be one that was told before; that it is of this one is
  /// sure up to `timeline_until`.
  std::optional<host_sample> last = {};
  lsn timeline_until = {};
  /// When it was asked what `last` says of its position.
  time_point position_as_of = time_point::min();
  /// When a connection was made that a read came upon which needs a position.
  time_point connected_anew_at = time_point::min();
  /// Of answers and calls, averaged.
  std::chrono::nanoseconds latency{};

  /// The newest news that speak against it; answers to earlier questions do not count:
  /// against its taking any call,
  time_point down_at = time_point::min();
  /// against its taking writes.
  time_point demoted_at = time_point::min();
  /// No proof of anything, but reason to prefer others.
  time_point doubted_at = time_point::min();

  /// Since when it has given nothing but errors, and the last of them.
  std::optional<time_point> failing_since = {};
  std::string failure = {};

  /// When it began to be usable, after it was not.
  time_point back_since = time_point::min();
  std::size_t in_flight = 0;

  std::optional<time_point> probed_at = {};
  /// News ask for a probe before its time.
  bool probe_now = false;

  /// Its last answer counts.
  bool is_live(time_point now, std::chrono::nanoseconds lease) const {
    return last && last->asked_at > down_at && now - last->asked_at <= lease;
  }
  /// Precondition of these: `last`.
  bool is_standby() const { return last->in_recovery; }
  bool is_primary() const { return !last->in_recovery && last->asked_at > demoted_at; }
  bool is_writable() const { return is_primary() && !last->read_only; }
  bool is_doubted() const { return doubted_at >= last->asked_at; }
  /// Not after a lost connection: a standby that restarts may come up behind where it was.
  bool tells_position() const { return last->position != lsn{} && !is_doubted(); }
  /// ... nor on a connection that was made since, perhaps after a restart of which nobody heard.
  bool has_sure_position() const { return tells_position() && position_as_of > connected_anew_at; }
  log_place place() const { return {last->timeline, std::min(last->position, timeline_until)}; }

  void take(host_sample seen, time_point now, bool was_live);
  void take(host_error what, std::string why, time_point now);
  void average(std::chrono::nanoseconds took);
};

}  // namespace scalekit::db::detail
