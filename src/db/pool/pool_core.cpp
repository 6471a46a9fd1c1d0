#include "db/pool/pool_core.hpp"

#include <cassert>
#include <optional>
#include <utility>

namespace scalekit::db::detail {
namespace {

using nanoseconds = std::chrono::nanoseconds;

const pool_params& checked_params(const pool_params& params) {
  validate(params);
  return params;
}

/// How long a pool that is not written through keeps room for writes.
constexpr std::chrono::seconds writes_remembered{10};

/// The least of those that are not 0 (never), but never less than the pause between two rounds.
nanoseconds shortest(std::initializer_list<nanoseconds> pauses, nanoseconds round) {
  auto least = nanoseconds::max();
  for (auto pause : pauses) {
    if (pause.count() != 0) least = std::min(least, std::max(pause, round));
  }
  return least;
}

}  // namespace

pool_core::pool_core(std::string name, const pool_params& params, std::size_t max_waiting,
                     std::uint64_t seed, time_point now)
    : name_(std::move(name)),
      params_(checked_params(params)),
      max_waiting_(max_waiting),
      leak_pause_(shortest({params.leak_after}, params.reap_interval)),
      idle_pause_(
          shortest({params.idle_timeout, params.health_check_interval}, params.reap_interval)),
      random_(seed),
      slots_(params.max),
      overload_(params.shed_target, params.shed_interval),
      pace_(params.create_retry_interval, params.max_dials),
      size_(params, now) {
  counts_[static_cast<std::size_t>(state::empty)] = slots_.size();
  idle_.reserve(slots_.size());
  empty_.reserve(slots_.size());
  // Taken from the back: slot 0 first.
  for (auto i = slots_.size(); i > 0; --i) empty_.push_back(static_cast<slot_id>(i - 1));
}

pool_refusal pool_core::enqueue(pool_waiter& w, time_point now, pool_actions& out) {
  used_ = true;
  if (closed_) return pool_refusal::closed;
  if (live() == 0 && pace_.is_unreachable() && now < pace_.next()) {
    ++stats_.unreachable;
    return pool_refusal::unreachable;
  }
  const bool is_full = waiting_.size() >= max_waiting_;
  if (is_full || w.until <= now) {
    passing_ = 1;
    proceed(now, out);
    passing_ = 0;
    ++(is_full ? stats_.shed : stats_.acquire_timeouts);
    return is_full ? pool_refusal::queue_full : pool_refusal::timeout;
  }
  if (waiting_.empty()) overload_.relieved(now);
  waiting_.push_back(w);
  if (w.user.reads) ++reads_waiting_;
  w.now = pool_waiter::state::waiting;
  first_until_ = std::min(first_until_, w.until);
  if (holds_one(w.user.thread)) {
    out.push_back({.what = pool_action::kind::report_nested, .waiter = &w});
  }
  proceed(now, out);
  return pool_refusal::none;
}

bool pool_core::abandon(pool_waiter& w, pool_refusal why, time_point now, pool_actions& out) {
  if (w.now != pool_waiter::state::waiting) return false;
  leave_queue(w);
  w.now = pool_waiter::state::idle;
  ++(why == pool_refusal::timeout ? stats_.acquire_timeouts : stats_.cancelled_waits);
  proceed(now, out);
  return true;
}

void pool_core::release_slowly(slot_id id, returned how, time_point now, pool_actions& out) {
  auto& s = slots_[id];
  assert(s.now == state::lent);
  // It counts no more when the next is chosen.
  if (std::exchange(s.user.reads, false)) --reads_lent_;
  s.used = now;
  if (how == returned::broken) {
    close_slot(id, close_reason::broken, now, out);
  } else if (how == returned::outdated) {
    // Of many that come back with the same news only the first tells any.
    if (!closed_ && s.generation == generation_) begin_generation(generation_ + 1, now, out);
    close_if_unwanted(id, now, out);
  } else if (close_if_unwanted(id, now, out)) {
    // Whatever its state: it serves nobody any more.
  } else if (how == returned::spent) {
    close_slot(id, close_reason::spent, now, out);
  } else if (how == returned::needs_reset) {
    move(s, state::resetting, now);
    out.push_back(
        {.what = pool_action::kind::reset, .slot = id, .until = now + params_.destroy_timeout});
  } else {
    offer(id, now, out);
  }
  proceed(now, out);
}

void pool_core::dial_succeeded(slot_id id, time_point now, pool_actions& out) {
  auto& s = slots_[id];
  assert(s.now == state::dialing);
  pace_.succeeded();
  // Waits until now were for the server's login, not for other callers.
  overload_.relieved(now);
  if (params_.max_lifetime.count() != 0) {
    const double share = 0.5 + 0.5 * random_.uniform();
    const auto life = static_cast<double>(params_.max_lifetime.count()) * share;
    s.expires = now + nanoseconds(static_cast<std::int64_t>(life));
    s.replace_at = now + nanoseconds(static_cast<std::int64_t>(life * 0.95));
    upkeep_ = std::min(upkeep_, std::max(s.replace_at, now + params_.reap_interval));
  }
  settle_succession(id, now, out);
  if (!close_if_unwanted(id, now, out)) offer(id, now, out);
  proceed(now, out);
}

void pool_core::dial_failed(slot_id id, std::string text, bool hopeless, time_point now,
                            pool_actions& out) {
  auto& s = slots_[id];
  assert(s.now == state::dialing);
  move(s, state::empty, now);
  empty_.push_back(id);
  ++stats_.dial_failures;
  // Tried again with the next upkeep, while there is time.
  if (id == successor_) replaced_ = successor_ = no_slot;
  if (closed_) return;
  pace_.failed(std::move(text), hopeless, now, random_());
  if (live() == 0 && pace_.is_unreachable()) refuse_all(pool_refusal::unreachable, out);
  proceed(now, out);
}

void pool_core::reachable(time_point now, pool_actions& out) {
  pace_.succeeded();
  proceed(now, out);
}

void pool_core::checked(slot_id id, bool alive, time_point now, pool_actions& out) {
  auto& s = slots_[id];
  assert(s.now == state::checking);
  if (!alive) {
    close_slot(id, close_reason::unhealthy, now, out);
  } else if (!close_if_unwanted(id, now, out)) {
    if (first_to_serve() != nullptr) {
      s.alive = now;
      offer(id, now, out);
    } else {
      // A check is no use: it takes its old place among the idle ones.
      const auto used = s.used;
      make_idle(id, now);
      s.used = used;
      idle_.pop_back();
      auto place = idle_.end();
      while (place != idle_.begin() && slots_[*(place - 1)].used >= used) --place;
      idle_.insert(place, id);
    }
  }
  proceed(now, out);
}

void pool_core::reset_done(slot_id id, bool in_order, time_point now, pool_actions& out) {
  assert(slots_[id].now == state::resetting);
  if (!in_order) {
    close_slot(id, close_reason::unhealthy, now, out);
  } else if (!close_if_unwanted(id, now, out)) {
    offer(id, now, out);
  }
  proceed(now, out);
}

void pool_core::closed(slot_id id, time_point now, pool_actions& out) {
  assert(slots_[id].now == state::closing);
  move(slots_[id], state::empty, now);
  empty_.push_back(id);
  proceed(now, out);
}

void pool_core::close(time_point now, pool_actions& out) {
  if (closed_) return;
  closed_ = true;
  refuse_all(pool_refusal::closed, out);
  while (!idle_.empty()) {
    const auto id = idle_.back();
    idle_.pop_back();
    close_slot(id, close_reason::pool_closed, now, out);
  }
  proceed(now, out);
}

bool pool_core::close_if_unwanted(slot_id id, time_point now, pool_actions& out) {
  const auto& s = slots_[id];
  if (may_stay(s, now)) return false;
  auto why = close_reason::surplus;
  if (closed_) {
    why = close_reason::pool_closed;
  } else if (s.generation != generation_) {
    why = close_reason::evicted;
  } else if (s.retiring || now >= s.expires) {
    why = close_reason::expired;
  }
  close_slot(id, why, now, out);
  return true;
}

void pool_core::leave_queue(pool_waiter& w) noexcept {
  waiting_.erase(w);
  if (w.user.reads) --reads_waiting_;
}

/// The oldest waiter that may have a connection now; null for none.
pool_waiter* pool_core::first_to_serve() const noexcept {
  if (!reads_are_full()) return waiting_.front();
  if (reads_waiting_ == waiting_.size()) return nullptr;
  auto* w = waiting_.front();
  while (w->user.reads) w = waiting_.after(*w);
  return w;
}

/// What was kept for writes is for all, once there are none.
void pool_core::let_reads_in(time_point now, pool_actions& out) {
  if (most_reads_ != no_limit && now >= written_ + writes_remembered) most_reads_ = no_limit;
  while (!idle_.empty() && first_to_serve() != nullptr) {
    const auto id = idle_.back();
    idle_.pop_back();
    offer(id, now, out);
  }
}

/// To the oldest waiter that may have it, or to the idle ones.
void pool_core::offer(slot_id id, time_point now, pool_actions& out) {
  while (!waiting_.empty() && waiting_.front()->until <= now) {
    refuse(*waiting_.front(), pool_refusal::timeout, out);
  }
  // A connection never goes idle because everybody was too old for it.
  shed_down_to(1, now, out);
  auto* w = first_to_serve();
  if (w == nullptr) return make_idle(id, now);
  leave_queue(*w);
  w->now = pool_waiter::state::granted;
  w->slot = id;
  overload_.served(now - w->since, now);
  ++stats_.waited;
  lend(id, w->user, now);
  out.push_back({.what = pool_action::kind::grant, .slot = id, .waiter = w});
}

void pool_core::close_slot(slot_id id, close_reason why, time_point now, pool_actions& out) {
  auto& s = slots_[id];
  move(s, state::closing, now);
  if (s.retiring) --retiring_;
  s.retiring = false;
  // Its successor is then one like any other.
  if (id == replaced_) replaced_ = successor_ = no_slot;
  ++closed_for_[static_cast<std::size_t>(why)];
  out.push_back({.what = pool_action::kind::close,
                 .slot = id,
                 .reason = why,
                 .until = now + params_.destroy_timeout});
}

void pool_core::refuse(pool_waiter& w, pool_refusal why, pool_actions& out) {
  leave_queue(w);
  w.now = pool_waiter::state::refused;
  w.why = why;
  if (why == pool_refusal::timeout) ++stats_.acquire_timeouts;
  if (why == pool_refusal::overload) ++stats_.shed;
  const bool is_server = why == pool_refusal::unreachable || why == pool_refusal::evicted;
  if (is_server) ++stats_.unreachable;
  out.push_back({.what = pool_action::kind::refuse, .waiter = &w});
}

void pool_core::refuse_all(pool_refusal why, pool_actions& out) {
  while (!waiting_.empty()) refuse(*waiting_.front(), why, out);
}

void pool_core::shed_down_to(std::size_t left, time_point now, pool_actions& out) {
  while (waiting_.size() > left && overload_.too_old(now - waiting_.front()->since, now)) {
    refuse(*waiting_.front(), pool_refusal::overload, out);
  }
}

/// Somebody waits whom no dial will serve.
bool pool_core::has_uncovered_waiter() const noexcept {
  const auto places = most_reads_ - std::min(most_reads_, reads_lent_);
  const auto kept_out = reads_waiting_ - std::min(reads_waiting_, places);
  return waiting_.size() - kept_out + passing_ > count(state::dialing);
}

bool pool_core::wants_dial() const noexcept {
  const auto size = sized();
  return (has_uncovered_waiter() && size < size_.value()) || (used_ && size < size_.min());
}

bool pool_core::has_room_to_dial() const noexcept {
  return count(state::dialing) < pace_.at_once() && total() < size_.max();
}

slot_id pool_core::dial(time_point now, pool_actions& out) {
  const auto id = empty_.back();
  empty_.pop_back();
  auto& s = slots_[id];
  move(s, state::dialing, now);
  s.generation = generation_;
  s.replace_at = s.expires = time_point::max();
  ++stats_.dials;
  out.push_back(
      {.what = pool_action::kind::dial, .slot = id, .until = now + params_.create_timeout});
  return id;
}

/// When a successor has arrived, the one that it replaces goes.
void pool_core::settle_succession(slot_id arrived, time_point now, pool_actions& out) {
  if (arrived != successor_) return;
  const auto old = replaced_;
  replaced_ = successor_ = no_slot;
  slots_[old].retiring = true;
  ++retiring_;
  if (slots_[old].now != state::idle) return;
  take_out_of_idle(old);
  close_slot(old, close_reason::expired, now, out);
}

/// Starts the dials that are wanted now, and plans the next event.
void pool_core::proceed(time_point now, pool_actions& out) {
  if (closed_) {
    urgent_ = upkeep_ = time_point::max();
    return;
  }
  if (!waiting_.empty()) let_reads_in(now, out);
  for (;;) {
    if (wants_dial()) {
      if (!has_room_to_dial() || now < pace_.next()) break;
      dial(now, out);
    } else {
      size_.account(busy(), now);
      if (!has_uncovered_waiter() || !size_.consider_growing(waiting_.size())) break;
      upkeep_ = std::min(upkeep_, size_.shrink_due());
    }
  }
  plan();
}

void pool_core::plan() noexcept {
  urgent_ = time_point::max();
  if (wants_dial()) {
    if (has_room_to_dial()) urgent_ = pace_.next();
  } else if (has_uncovered_waiter()) {
    urgent_ = size_.growth_due();
  }
  if (waiting_.empty()) {
    first_until_ = time_point::max();
    return;
  }
  urgent_ = std::min(urgent_, first_until_);
  if (reads_waiting_ > 0 && most_reads_ != no_limit) {
    urgent_ = std::min(urgent_, written_ + writes_remembered);
  }
  const auto stands_at = overload_.stands_at();
  if (busy() > 0 && stands_at != time_point::max()) {
    const auto too_old_at = waiting_.front()->since + overload_.patience() + nanoseconds{1};
    urgent_ = std::min(urgent_, std::max(stands_at, too_old_at));
  }
}

}  // namespace scalekit::db::detail
