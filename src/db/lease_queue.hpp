#pragma once

// Who gets a connection next: the decisions of a pool, without threads, clocks or connections.

#include "db/pool/fifo.hpp"
#include "scalekit/db/statistics.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace scalekit::db::detail {

/// One caller in the queue. Belongs to the caller, and must outlive its stay in the queue.
struct lease_waiter : fifo_link<lease_waiter> {
  enum class state { idle, waiting, granted, closed, adopted, served };

  state now = state::idle;
  /// Whoever holds a slot may do for it what it wants the slot for; see lease_queue::adopt().
  bool adoptable = false;
  /// The slot, once granted.
  std::size_t slot = 0;
};

/// A fixed number of slots, lent one at a time: the most recently used first, so that few stay
/// warm; callers that must wait are served strictly in order, and a slot that comes back goes
/// straight to the first of them: a newcomer cannot snatch it.
///
/// Thread safety: none; see lease_pool.
class lease_queue {
 public:
  lease_queue(std::size_t slots, std::size_t max_waiting);

  /// A free slot, unless others wait for one.
  std::optional<std::size_t> try_take();

  /// Puts `w` at the end of the queue. False when the queue is full: `w` is shed.
  bool wait(lease_waiter& w);

  /// Takes a slot back. Returns the waiter that has it now, or null when it is free.
  lease_waiter* give_back(std::size_t slot);

  enum class leave { timeout, cancelled };

  /// `w` no longer waits. False when it is too late: it was granted a slot, adopted, or closed.
  bool abandon(lease_waiter& w, leave why);

  /// Waiters in the hands of somebody who holds a slot, first come first.
  using party = fifo<lease_waiter>;

  /// The first who waits, if it may be adopted; null otherwise.
  lease_waiter* first_adoptable() const noexcept;

  /// Moves the first who waits to the end of `p`. It can no longer leave.
  void adopt(party& p) noexcept;

  /// `w`, an adopted one, got what it waited for.
  void serve(lease_waiter& w) noexcept;

  /// The last of `p` waits again, as the first of all; it may leave, but not be adopted any more.
  /// After close() it is closed.
  void put_back_last(party& p) noexcept;

  /// Nobody waits and nothing is lent from now on. Returns those who waited, first come first.
  std::vector<lease_waiter*> close();

  /// The slots that nobody holds, which from now on are not there. To be called after close().
  std::vector<std::size_t> take_free() noexcept;

  bool is_closed() const noexcept { return closed_; }
  std::size_t busy() const noexcept { return stats_.busy; }
  std::size_t waiting() const noexcept { return waiting_.size(); }
  pool_statistics statistics() const noexcept;

 private:
  std::vector<std::size_t> free_;
  fifo<lease_waiter> waiting_;
  std::size_t max_waiting_;
  bool closed_ = false;
  pool_statistics stats_;
};

}  // namespace scalekit::db::detail
