#pragma once

// What the host_board answers.

#include "db/topology/host_sample.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/consistency.hpp"
#include "scalekit/db/labels.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace scalekit::db::detail {

/// Why there is no host for a call.
enum class refusal {
  none,
  /// Not every host was heard of yet: ask again after the next event.
  starting,
  /// Nobody is known to be primary: ask again after the next event, until the call's deadline.
  no_primary,
  /// Two hosts are primary and neither is the other's descendant.
  split_brain,
  /// The hosts belong to different clusters and no majority says which is meant.
  mixed_clusters,
  /// No host has the labels, or none that has them may serve the read now.
  no_replica,
  /// The token is of another database.
  foreign_token,
  /// The token's write was lost in a promotion.
  token_lost,
};

/// True for what another event may change; the others stand.
bool may_pass(refusal why) noexcept;

/// The error a caller gets. `explanation` is the route's.
error refusal_error(refusal why, std::string explanation);

/// The host that takes writes.
struct write_route {
  refusal why = refusal::none;
  host_id host = 0;
  /// Grows whenever another host or another timeline takes the writes: connections that were
  /// given out for writing under an older one must not be used for it again.
  std::uint64_t generation = 0;
  /// For a refusal: the reason and the state of every host.
  std::string explanation = {};

  explicit operator bool() const noexcept { return why == refusal::none; }
};

/// Where and when a read has failed.
struct failed_read {
  host_id host;
  time_point at;
};

/// What one read asks for.
struct read_request {
  /// own_writes counts as after(the client's or session's newest token) and must have been made
  /// that; as it is, it counts as any.
  db::consistency how = {};
  /// Null: none asked for. Must outlive the call.
  const db::labels* labels = nullptr;
  /// When the call began to look for a host, and its deadline.
  time_point begun = {};
  time_point until = time_point::max();
  /// How often an `ask` was answered already for this call.
  unsigned asked = 0;
  /// Where it failed just now. No replica to be used, but where there is nothing else and it has
  /// answered since: while a server's processes die one after another, some still answer.
  std::optional<failed_read> failed_on = {};
};

/// Where a read goes.
struct read_route {
  enum class kind {
    /// Run it on `host`.
    use,
    /// At `when`, ask `host` for its replay position and timeline, tell the board
    /// (host_board::replayed) and ask the board again with `asked` one more.
    ask,
    /// `why`. Where may_pass(why): ask again after the next event, until the call's deadline.
    refused,
  };

  kind what = kind::refused;
  refusal why = refusal::none;
  host_id host = 0;
  /// The host is the primary (of `generation`): on a standby otherwise.
  bool on_primary = false;
  std::uint64_t generation = 0;
  /// When the host was asked what it was chosen for: that it is the primary, or its position. On a
  /// connection made later the route may not hold.
  time_point as_of = time_point::max();
  time_point when = {};
  std::string explanation = {};
};

}  // namespace scalekit::db::detail
