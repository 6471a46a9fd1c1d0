#pragma once

#include "scalekit/db/shard_move.hpp"

namespace scalekit::db::detail {

/// What a move does next.
enum class move_action {
  /// Nothing can be done before every process has a newer map.
  wait_lease,
  /// Makes the source and the target obey this mover and no other.
  claim,
  /// Checks the tables, and has the source's changes recorded from now on.
  prepare,
  begin_copying,
  copy_page,
  /// Copies changes that were recorded.
  replay,
  verify_page,
  begin_switching,
  /// From now on the source takes no write to the range.
  fence,
  switch_map,
  /// The target takes writes to the range, if a fence of an earlier move forbids it.
  lift,
  /// The end of recording.
  release,
  delete_page,
  /// Of a move that is given up: the source takes writes again, and records none.
  unfence,
  clean_page,
  forget,
};

/// How far a mover has come, beyond the phase that is stored. What is false is done again, which
/// does no harm.
struct move_facts {
  move_phase phase = move_phase::announced;
  /// Since this mover has known of the phase, a lease has passed.
  bool lease_is_over = false;
  bool claimed = false;
  bool prepared = false;
  bool copied = false;
  /// The changes that were recorded when somebody looked last are copied, but for a few.
  bool caught_up = false;
  bool verified = false;
  bool fenced = false;
  /// None was left, after the fence.
  bool drained = false;
  bool lifted = false;
  bool released = false;
  /// No row is left where none belongs.
  bool deleted = false;
};

constexpr move_action next_action(const move_facts& f) noexcept {
  using enum move_action;
  switch (f.phase) {
    case move_phase::announced:
      // A process that does not know of the move would count rows twice that are copied.
      if (!f.lease_is_over) return wait_lease;
      if (!f.claimed) return claim;
      return f.prepared ? begin_copying : prepare;
    case move_phase::copying:
      if (!f.claimed) return claim;
      if (!f.copied) return copy_page;
      if (!f.caught_up) return replay;
      return f.verified ? begin_switching : verify_page;
    case move_phase::switching:
      if (!f.claimed) return claim;
      if (!f.fenced) return fence;
      return f.drained ? switch_map : replay;
    case move_phase::switched:
      if (!f.claimed) return claim;
      if (!f.lifted) return lift;
      // A process with the old map still reads at the source.
      if (!f.lease_is_over) return wait_lease;
      if (!f.released) return release;
      return f.deleted ? forget : delete_page;
    case move_phase::aborting:
      if (!f.claimed) return claim;
      if (!f.released) return unfence;
      return f.deleted ? forget : clean_page;
  }
  return wait_lease;
}

}  // namespace scalekit::db::detail
