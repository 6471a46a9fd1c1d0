#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/error.hpp"

#include <chrono>
#include <cstdint>

// What a call does next that one node of a cluster did not run. What may have been run is never
// tried elsewhere: that is commit_in_doubt, and final.

namespace scalekit::redis::detail {

/// Why a node did not run a call.
enum class hop_end : std::uint8_t {
  /// Another node has the slot.
  moved,
  /// The slot is on its way to another node, and the key is there.
  ask,
  /// Some of its keys are there, and some here.
  try_again,
  /// The cluster, or the slot, has no master.
  cluster_down,
  /// It loads its data, or has lost or is no longer the master.
  not_ready,
  /// It could not be reached, or was lost, and nothing was changed.
  unreachable,
  /// It was sent there, and no answer was heard: the caller's. The node may be gone.
  no_answer,
  /// Anything else: the caller's.
  final,
};

hop_end hop_end_of(const error& e) noexcept;

/// What a call has behind it.
struct hop_history {
  unsigned redirects = 0;
  unsigned pauses = 0;
  /// Since when no node could be reached.
  time_point unreachable_since = time_point::max();
};

/// What bounds it.
struct hop_bounds {
  time_point now;
  time_point until;
  std::chrono::nanoseconds acquire_timeout;
  const backoff_params& pauses;
  std::uint64_t random;
  /// It was tried at a replica, where only reads are, and the master is left.
  bool was_at_replica = false;
};

struct hop_plan {
  enum class step : std::uint8_t { give_up, resend, pause };
  step next = step::give_up;
  /// Before it is sent again.
  std::chrono::nanoseconds pause{};
  /// To the node that the answer names; else to the one that the slot map does.
  bool to_named = false;
  bool with_asking = false;
  /// The answer says who has the slot.
  bool corrects_map = false;
  bool refreshes_map = false;
  /// The nodes send it round in circles.
  bool is_lost = false;

  friend bool operator==(const hop_plan&, const hop_plan&) = default;
};

/// So many redirects are followed, the first few of them at once.
inline constexpr unsigned max_redirects = 16;
inline constexpr unsigned redirects_at_once = 5;

/// Takes note in `h` of what it decides.
hop_plan plan_hop(hop_end end, hop_history& h, const hop_bounds& b) noexcept;

}  // namespace scalekit::redis::detail
