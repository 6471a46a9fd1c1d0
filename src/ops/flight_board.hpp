#pragma once

// Brings requests that are due and connections that are idle together. No I/O.

#include "scalekit/core/clock.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace scalekit::ops::detail {

namespace intrusive = boost::intrusive;
using unlinking_hook = intrusive::list_member_hook<intrusive::link_mode<intrusive::auto_unlink>>;

/// A request between the time at which it was due and its end.
struct flight {
  time_point due;
  time_point sent;
  std::size_t kind = 0;
  std::uint64_t tag = 0;
  std::optional<std::size_t> client;
  /// The connection that carries it; none while it waits.
  std::optional<std::size_t> connection;
  bool is_head = false;
  std::string bytes;

  unlinking_hook outstanding_hook;
  unlinking_hook waiting_hook;
};

template <class T, unlinking_hook T::*Hook>
using linked_list = intrusive::list<T, intrusive::member_hook<T, unlinking_hook, Hook>,
                                    intrusive::constant_time_size<false>>;

/// Who waits, and who is idle. Connection i belongs to client i modulo clients.
///
/// Flights are recycled: after the first seconds of a run nothing is allocated.
class flight_board {
 public:
  flight_board(std::size_t connections, std::size_t clients, std::size_t max_waiting);

  /// A request that is outstanding from now on. `due` must not lie before that of an earlier one.
  flight& open(time_point due);

  /// Gives the flight an idle connection that may carry it, the one that was idle longest, and
  /// returns true; else false.
  bool assign(flight& f);

  /// The flight waits for a connection. False when max_waiting flights wait already.
  bool enqueue(flight& f);

  /// The connection is free: gives it the longest waiting flight that it may carry, or makes it
  /// idle and returns nullptr.
  flight* next_for(std::size_t connection);

  /// The connection is not idle any more, if it was: it was closed.
  void withdraw(std::size_t connection);

  /// Ends a flight, wherever it is. The reference is then invalid.
  void close(flight& f);

  /// The outstanding flight that was due first; nullptr if there is none.
  flight* oldest();

  std::size_t client_of(std::size_t connection) const { return connection % clients_.size(); }
  std::size_t waiting() const noexcept { return waiting_; }
  std::size_t in_flight() const noexcept { return outstanding_count_ - waiting_; }

 private:
  struct idle_slot {
    unlinking_hook of_client;
    unlinking_hook of_all;
  };
  using flight_queue = linked_list<flight, &flight::waiting_hook>;
  struct client_lists {
    flight_queue waiting;
    linked_list<idle_slot, &idle_slot::of_client> idle;
  };

  std::size_t max_waiting_;
  std::deque<flight> storage_;
  std::vector<flight*> free_;
  std::vector<idle_slot> slots_;

  // The lists after what they link: they must be destroyed first.
  linked_list<flight, &flight::outstanding_hook> outstanding_;
  flight_queue waiting_for_any_;
  linked_list<idle_slot, &idle_slot::of_all> idle_;
  std::vector<client_lists> clients_;

  std::size_t outstanding_count_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace scalekit::ops::detail
