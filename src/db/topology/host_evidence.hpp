#pragma once

#include "db/topology/host_sample.hpp"
#include "db/topology/host_spec.hpp"
#include "scalekit/core/clock.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace scalekit::db::detail {

/// What a host_board knows of one host.
struct host_evidence {
  host_spec spec;
  time_point added_at;

  /// The newest answer, and the round trip it took or what calls took since, averaged.
  std::optional<host_sample> last;
  std::chrono::nanoseconds latency{};

  /// The newest news that speak against it; what was asked for before no longer counts:
  /// against its taking any call,
  time_point down_at = time_point::min();
  /// against its taking writes.
  time_point demoted_at = time_point::min();
  /// Not proof, but reason to prefer others.
  time_point doubted_at = time_point::min();

  /// Since when it has given nothing but errors, and the last of them.
  std::optional<time_point> failing_since;
  std::string failure;

  /// When it began to be usable, after it was not.
  time_point back_since;
  std::size_t in_flight = 0;

  time_point probed_at = time_point::min();
  /// News ask for a probe before its time.
  bool probe_now = true;
};

}  // namespace scalekit::db::detail
