#pragma once

// The decisions of a pool of server connections, without threads, clocks or connections.

#include "db/pool/dial_pace.hpp"
#include "db/pool/overload_gauge.hpp"
#include "db/pool/pool_action.hpp"
#include "db/pool/pool_size.hpp"
#include "db/pool/pool_waiter.hpp"
#include "scalekit/core/random.hpp"
#include "scalekit/db/pool_params.hpp"
#include "scalekit/db/statistics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace scalekit::db::detail {

/// How a user gives a connection back.
enum class returned {
  /// Ready for the next.
  healthy,
  /// Its state must be brought in order first: a cancelled call's, a session that was changed.
  needs_reset,
  /// Fit for nobody else, for what its user has left in the session: close it.
  spent,
  /// Its server is another than it should be: close it, and all that were opened before now.
  outdated,
  /// Unusable: close it.
  broken,
};

/// The connections to one server.
///
/// What it promises: at most max connections exist, and one counts until closed() says that its
/// socket is. Idle ones are lent most recently used first; who must wait is served strictly in
/// order: a connection that comes back, or a dial that succeeds, goes to the oldest waiter, and
/// no newcomer can snatch it. Dials belong to the pool: they begin only while somebody waits who
/// is not yet covered by a dial, or to keep min, or to replace what expires; a caller that goes
/// away cancels none, and what arrives too late becomes idle. Nobody is turned away while a
/// connection is idle.
///
/// Where both read and write, reads leave the last tenth of max (one at least) to those that write:
/// slow reads never keep every write out. Reads beyond it wait, in their order, even beside idle
/// connections; a pool that was not written through for ten seconds is all theirs.
///
/// How a shell uses it, under one mutex:
///
///     slot = core.try_acquire(user, now);               // nearly always enough
///     if (slot == no_slot) why = core.enqueue(waiter, now, actions);
///     ...
///     core.release(slot, returned::healthy, now, actions);
///
/// After each call it performs the actions and, when next_event() became earlier than its timer,
/// sets the timer; there it calls tick(). It must take what it needs of a granted or refused waiter
/// before it unlocks: the waiter's owner may be gone after that.
///
/// `now` may lag behind an earlier call's by the time it took to get the mutex.
///
/// Thread safety: none.
class pool_core {
 public:
  /// `name` is for texts: "db.example:5432". `seed` decides all jitter. Throws
  /// std::invalid_argument as validate(pool_params) does.
  pool_core(std::string name, const pool_params& params, std::size_t max_waiting,
            std::uint64_t seed, time_point now);

  // --- callers ---

  /// An idle connection, or no_slot: then enqueue(). Costs no memory and no loop.
  slot_id try_acquire(const pool_user& user, time_point now) noexcept {
    used_ = true;
    if (idle_.empty() || (user.reads && reads_are_full())) return no_slot;
    auto id = idle_.back();
    idle_.pop_back();
    lend(id, user, now);
    return id;
  }

  /// Puts `w` (its user, since and until are set) at the end of the queue. Call right after
  /// try_acquire() gave nothing. pool_refusal::none: it waits, and hears by grant or refuse.
  /// Else it does not: `until` has passed (its dial goes on), the queue is full, the server is
  /// unreachable, or the pool is closed.
  pool_refusal enqueue(pool_waiter& w, time_point now, pool_actions& out);

  /// `w` no longer waits, for `why`: timeout or cancelled. False when it is too late: it was
  /// granted a connection, or refused.
  bool abandon(pool_waiter& w, pool_refusal why, time_point now, pool_actions& out);

  /// Takes back what was lent.
  void release(slot_id id, returned how, time_point now, pool_actions& out) {
    if (how == returned::healthy && waiting_.empty() && may_stay(slots_[id], now)) [[likely]] {
      return make_idle(id, now);
    }
    release_slowly(id, how, now, out);
  }

  /// Whether `id`, which is lent, would not stay with its user for the next call: others wait, or
  /// it is to be closed.
  bool wants_back(slot_id id, time_point now) const noexcept {
    return !waiting_.empty() || !may_stay(slots_[id], now);
  }

  /// `id`, which is lent, is in the hands of `thread` from now on.
  void lent_to(slot_id id, std::thread::id thread) noexcept { slots_[id].user.thread = thread; }

  /// Somebody who never came here was turned away for want of room.
  void count_shed() noexcept { ++stats_.shed; }

  // --- answers to actions; each exactly once ---

  void dial_succeeded(slot_id id, time_point now, pool_actions& out);

  /// What there was of the connection is closed. `text` is for errors: no secrets in it.
  /// `hopeless`: trying again will not help (a wrong password, an unknown database).
  void dial_failed(slot_id id, std::string text, bool hopeless, time_point now, pool_actions& out);

  /// Somebody else has reached the server just now: the pause between dials ends, and what failed
  /// before counts no more.
  void reachable(time_point now, pool_actions& out);

  void checked(slot_id id, bool alive, time_point now, pool_actions& out);
  void reset_done(slot_id id, bool in_order, time_point now, pool_actions& out);

  /// The socket is closed: only now its place is free.
  void closed(slot_id id, time_point now, pool_actions& out);

  // --- time and orders from above ---

  /// Does what is due. More or fewer calls than next_event() asks for do no harm.
  void tick(time_point now, pool_actions& out);

  /// When tick() must be called at the latest; time_point::max() while nothing can become due.
  time_point next_event() const noexcept { return std::min(urgent_, upkeep_); }

  /// A new size: the share of a fleet's budget, or changed settings. What is above it is closed,
  /// when idle at once, when lent on return. `why` is for texts and statistics; empty: these are
  /// the settings' own. Needs min <= max and max >= 1; never more than the settings' max.
  void set_limits(std::size_t min, std::size_t max, const std::string& why, time_point now,
                  pool_actions& out);

  /// Connections of before generation `generation` (their dial began before this call) serve
  /// nobody any more: idle ones are closed at once, lent ones on return, dialed ones when they
  /// arrive. Who waits is refused, for another server may be the right one now. An older or the
  /// same number does nothing. The first generation is 0.
  void evict_all(std::uint64_t generation, time_point now, pool_actions& out);

  /// Nobody waits and nothing is lent from now on. What is lent is closed on return.
  void close(time_point now, pool_actions& out);

  // --- what others may know ---

  bool is_closed() const noexcept { return closed_; }
  /// No connection exists and nobody waits.
  bool is_empty() const noexcept { return live() + count(state::closing) + waiting_.size() == 0; }
  bool is_idle(slot_id id) const noexcept { return slots_[id].now == state::idle; }
  std::size_t waiting() const noexcept { return waiting_.size(); }
  const size_change& last_change() const noexcept { return size_.last_change(); }
  pool_statistics statistics() const;

  /// The text for an error: what was waited for, counts and limits, the oldest holder, the last
  /// failure to dial, and what to do. For every pool_refusal but none.
  std::string describe(pool_refusal why, const pool_waiter& w, time_point now) const;
  std::string describe_leak(slot_id id, time_point now) const;
  std::string describe_nested(const pool_waiter& w) const;

 private:
  enum class state : std::uint8_t { empty, dialing, idle, lent, checking, resetting, closing };
  static constexpr std::size_t states = 7;
  static constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

  struct slot {
    state now = state::empty;
    /// Its successor is there: closed as soon as nobody uses it.
    bool retiring = false;
    bool leak_reported = false;
    std::uint64_t generation = 0;
    /// When it came into this state.
    time_point since = {};
    /// When its last user gave it back.
    time_point used = {};
    /// When its server last answered.
    time_point alive = {};
    time_point replace_at = time_point::max();
    time_point expires = time_point::max();
    pool_user user = {};
  };

  // --- pool_core.cpp: lending, dialing, closing ---

  std::size_t count(state s) const noexcept { return counts_[static_cast<std::size_t>(s)]; }
  /// Those that exist.
  std::size_t total() const noexcept { return slots_.size() - count(state::empty); }
  /// Those that exist and are not being closed.
  std::size_t live() const noexcept { return total() - count(state::closing); }
  /// What is compared with the wanted size: a connection and its successor are one.
  std::size_t sized() const noexcept {
    return live() - retiring_ - (successor_ == no_slot ? 0 : 1);
  }
  /// In the hands of a call, or being put in order after one.
  std::size_t busy() const noexcept { return count(state::lent) + count(state::resetting); }

  void move(slot& s, state to, time_point now) noexcept {
    size_.account(busy(), now);
    if (s.now == state::lent && s.user.reads) --reads_lent_;
    --counts_[static_cast<std::size_t>(s.now)];
    ++counts_[static_cast<std::size_t>(to)];
    s.now = to;
    s.since = now;
  }

  void lend(slot_id id, const pool_user& user, time_point now) noexcept {
    auto& s = slots_[id];
    move(s, state::lent, now);
    s.user = user;
    if (user.reads) {
      ++reads_lent_;
    } else {
      written_ = now;
      keep_room_for_writes();
    }
    s.leak_reported = false;
    ++stats_.acquired;
    upkeep_ = std::min(upkeep_, after(now, leak_pause_));
  }

  /// Nobody waits who could have it.
  void make_idle(slot_id id, time_point now) noexcept {
    auto& s = slots_[id];
    move(s, state::idle, now);
    s.used = s.alive = now;
    idle_.push_back(id);
    if (waiting_.empty()) overload_.relieved(now);
    upkeep_ = std::min(upkeep_, after(now, idle_pause_));
  }

  bool reads_are_full() const noexcept { return reads_lent_ >= most_reads_; }

  void keep_room_for_writes() noexcept {
    most_reads_ = size_.max() - std::min(size_.max() - 1, (size_.max() + 9) / 10);
  }

  bool may_stay(const slot& s, time_point now) const noexcept {
    return !closed_ && !s.retiring && s.generation == generation_ && now < s.expires &&
           sized() <= size_.value();
  }

  static time_point after(time_point now, std::chrono::nanoseconds pause) noexcept {
    return pause == pause.max() ? time_point::max() : now + pause;
  }

  void release_slowly(slot_id id, returned how, time_point now, pool_actions& out);
  bool close_if_unwanted(slot_id id, time_point now, pool_actions& out);
  void offer(slot_id id, time_point now, pool_actions& out);
  void close_slot(slot_id id, close_reason why, time_point now, pool_actions& out);
  void refuse(pool_waiter& w, pool_refusal why, pool_actions& out);
  void refuse_all(pool_refusal why, pool_actions& out);
  void leave_queue(pool_waiter& w) noexcept;
  pool_waiter* first_to_serve() const noexcept;
  void let_reads_in(time_point now, pool_actions& out);
  void shed_down_to(std::size_t left, time_point now, pool_actions& out);
  bool has_uncovered_waiter() const noexcept;
  bool wants_dial() const noexcept;
  bool has_room_to_dial() const noexcept;
  slot_id dial(time_point now, pool_actions& out);
  void settle_succession(slot_id arrived, time_point now, pool_actions& out);
  void proceed(time_point now, pool_actions& out);
  void plan() noexcept;

  // --- pool_upkeep.cpp: what becomes due ---

  void refuse_expired(time_point now, pool_actions& out);
  void close_idle_surplus(time_point now, pool_actions& out);
  void tend_idle(time_point now, pool_actions& out);
  void report_leaks(time_point now, pool_actions& out);
  void replace_one(time_point now, pool_actions& out);
  time_point due(const slot& s, time_point now) const noexcept;
  void take_out_of_idle(slot_id id) noexcept;
  void begin_generation(std::uint64_t generation, time_point now, pool_actions& out);

  // --- pool_text.cpp ---

  std::string counts_text(std::size_t others_waiting) const;
  std::string oldest_holder_text(const pool_waiter& w, time_point now) const;
  bool holds_one(std::thread::id thread) const noexcept;

  const std::string name_;
  const pool_params params_;
  const std::size_t max_waiting_;
  // The shortest time until something about a lent and about an idle connection can become due.
  const std::chrono::nanoseconds leak_pause_;
  const std::chrono::nanoseconds idle_pause_;
  random_generator random_;
  std::vector<slot> slots_;
  std::array<std::size_t, states> counts_{};
  // The last used at the back.
  std::vector<slot_id> idle_;
  std::vector<slot_id> empty_;
  fifo<pool_waiter> waiting_;
  std::size_t reads_waiting_ = 0;
  std::size_t reads_lent_ = 0;
  std::size_t most_reads_ = no_limit;
  // When one was last lent to who writes.
  time_point written_ = {};
  // A caller that wants a connection but does not wait for it.
  std::size_t passing_ = 0;
  overload_gauge overload_;
  dial_pace pace_;
  pool_size size_;
  std::string limited_by_;
  // What must be done in time, and what can wait for the next round of upkeep. Both may be too
  // early, never too late.
  time_point urgent_ = time_point::max();
  time_point upkeep_ = time_point::max();
  time_point first_until_ = time_point::max();
  std::uint64_t generation_ = 0;
  // The one connection whose successor is being dialed, and the successor.
  slot_id replaced_ = no_slot;
  slot_id successor_ = no_slot;
  std::size_t retiring_ = 0;
  bool used_ = false;
  bool closed_ = false;
  std::array<std::uint64_t, close_reasons> closed_for_{};
  pool_statistics stats_;
};

}  // namespace scalekit::db::detail
