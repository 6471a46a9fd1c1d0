#pragma once

// The connections of a client to one simulated host: the real pool_core, on a network that is as
// slow and as broken as the host.

#include "db/pool/pool_core.hpp"
#include "pool_model.hpp"
#include "simulated_cluster.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <random>
#include <utility>

namespace test {

/// What is yet to happen, in the order of its time.
class agenda {
 public:
  time_point now = at(0s);

  void when(time_point t, std::function<void()> what) { events_.emplace(t, std::move(what)); }
  void in(nanoseconds pause, std::function<void()> what) { when(now + pause, std::move(what)); }

  void run_until(time_point end) {
    while (!events_.empty() && events_.begin()->first <= end) {
      const auto next = events_.extract(events_.begin());
      now = std::max(now, next.key());
      next.mapped()();
    }
    now = end;
  }

 private:
  std::multimap<time_point, std::function<void()>> events_;
};

/// Packets to what is silent are sent again after this.
inline constexpr nanoseconds resend = 50ms;

struct simulated_waiter : pool_waiter {
  /// It was granted a connection, or refused.
  std::function<void()> settled;
};

class simulated_pool : public db::test::connection_model {
 public:
  simulated_pool(agenda& time, std::mt19937_64& random, const true_host& host,
                 std::function<void(host_error)> tell)
      : time_(time),
        random_(random),
        host_(host),
        tell_(std::move(tell)),
        params_(draw_params()),
        core_("simulated", params_, most_waiting, random_(), time_.now) {}

  /// True: `w` has its slot. Else `settled` is called later, once, unless it is abandoned.
  bool acquire(simulated_waiter& w, std::function<void()> settled) {
    w.slot = core_.try_acquire(w.user, time_.now);
    if (w.slot != no_slot) {
      move(w.slot, state::idle, state::lent);
      return true;
    }
    w.settled = std::move(settled);
    w.since = time_.now;
    act([&](auto& out) {
      w.why = core_.enqueue(w, time_.now, out);
      if (w.why == pool_refusal::none) {
        ++waiting_;
      } else {
        w.now = pool_waiter::state::refused;
        time_.in(0ns, std::exchange(w.settled, nullptr));
      }
    });
    return false;
  }

  /// False when it is too late.
  bool abandon(simulated_waiter& w) {
    bool left = false;
    act([&](auto& out) { left = core_.abandon(w, pool_refusal::cancelled, time_.now, out); });
    if (!left) return false;
    --waiting_;
    w.settled = nullptr;
    return true;
  }

  void release(slot_id id, returned how) {
    move(id, state::lent, state::idle);
    slots_[id].used = time_.now;
    act([&](auto& out) { core_.release(id, how, time_.now, out); });
  }

  /// Of the server that the connection was made to.
  unsigned incarnation(slot_id id) const { return incarnations_.at(id); }
  time_point made_at(slot_id id) const { return slots_.at(id).born; }
  /// When it was made, which is all that it has said.
  bool was_standby(slot_id id) const { return standbys_.at(id); }

  void evict_all(std::uint64_t generation) {
    act([&](auto& out) { core_.evict_all(generation, time_.now, out); });
  }

  void reachable() {
    is_failing_ = false;
    act([&](auto& out) { core_.reachable(time_.now, out); });
  }

  void close() {
    act([&](auto& out) { core_.close(time_.now, out); });
  }

  void check() {
    const auto s = core_.statistics();
    require(s.busy == in(state::lent), "lent as the callers say");
    require(s.idle == in(state::idle) && s.dialing == in(state::dialing), "idle and dialing too");
    require(s.unready == in(state::checking) + in(state::resetting), "unready likewise");
    require(s.closing == in(state::closing), "closing likewise");
    require(s.waiting == waiting_, "nobody in the queue is lost");
    require(slots_.size() <= params_.max, "never more connections than max");
  }

  bool lends_any() const { return in(state::lent) > 0; }
  bool is_empty() const { return core_.is_empty() && slots_.empty(); }
  db::pool_statistics statistics() const { return core_.statistics(); }

 private:
  static constexpr std::size_t most_waiting = 12;

  db::pool_params draw_params() {
    db::pool_params p;
    p.max = 1 + below(4);
    p.min = below(p.max + 1);
    p.max_dials = 1 + below(2);
    p.create_timeout = 1s;
    p.destroy_timeout = 500ms;
    p.create_retry_interval = 50ms;
    p.reap_interval = 50ms;
    p.idle_timeout = 2s;
    p.health_check_interval = 700ms;
    p.max_lifetime = 5s;
    return p;
  }

  std::size_t below(std::size_t n) { return random_() % n; }
  nanoseconds some_time() { return 100us * (1 + below(60)); }

  template <class Call>
  void act(Call call) {
    pool_actions out;
    call(out);
    for (const auto& a : out) perform(a);
    plan();
  }

  void plan() {
    const auto next = core_.next_event();
    if (next >= planned_) return;
    planned_ = next;
    time_.when(next, [this] { tick(); });
  }

  void tick() {
    planned_ = time_point::max();
    act([&](auto& out) { core_.tick(time_.now, out); });
  }

  void perform(const pool_action& a) {
    using kind = pool_action::kind;
    switch (a.what) {
      case kind::grant:
        move(a.slot, state::idle, state::lent);
        return settle(static_cast<simulated_waiter&>(*a.waiter));
      case kind::refuse:
        return settle(static_cast<simulated_waiter&>(*a.waiter));
      case kind::dial:
        require(!slots_.contains(a.slot), "a dial into an empty place");
        slots_[a.slot] = {.born = time_.now};
        require(in(state::dialing) <= (is_failing_ ? 1 : params_.max_dials),
                "no more dials at once than allowed, and one while they fail");
        return knock(a.slot, a.until);
      case kind::check:
        move(a.slot, state::idle, state::checking);
        return inspect(a);
      case kind::reset:
        move(a.slot, state::idle, state::resetting);
        return inspect(a);
      case kind::close:
        move(a.slot, state::idle, state::closing);
        return time_.in(some_time(), [this, id = a.slot] {
          forget(id, state::closing);
          act([&](auto& out) { core_.closed(id, time_.now, out); });
        });
      case kind::report_leak:
        return require(false, "nothing is lent for so long");
      case kind::report_nested:
        return require(false, "no caller has a thread here");
    }
  }

  void settle(simulated_waiter& w) {
    --waiting_;
    time_.in(0ns, std::exchange(w.settled, nullptr));
  }

  void knock(slot_id id, time_point until, nanoseconds pause = 0ns) {
    time_.in(pause + some_time(), [this, id, until] {
      if (host_.answers()) return dialed(id);
      if (host_.is_reachable && !host_.is_up) return dial_failed(id, host_error::refused);
      if (time_.now >= until) return dial_failed(id, host_error::lost);
      knock(id, until, resend);
    });
  }

  void dialed(slot_id id) {
    is_failing_ = false;
    incarnations_[id] = host_.incarnation;
    standbys_[id] = host_.in_recovery;
    move(id, state::dialing, state::idle);
    slots_[id].born = time_.now;
    act([&](auto& out) { core_.dial_succeeded(id, time_.now, out); });
  }

  void dial_failed(slot_id id, host_error what) {
    is_failing_ = true;
    forget(id, state::dialing);
    act([&](auto& out) { core_.dial_failed(id, "refused", false, time_.now, out); });
    tell_(what);
  }

  /// A sign of life, or the work of bringing it back into order.
  void inspect(const pool_action& a, nanoseconds pause = 0ns) {
    time_.in(pause + some_time(), [this, a] {
      const bool is_same = host_.is_up && host_.incarnation == incarnations_[a.slot];
      const bool is_heard = host_.is_reachable && (!is_same || host_.answers());
      if (!is_heard && time_.now < a.until) return inspect(a, resend);
      const bool is_well = is_heard && is_same;
      const bool was_check = a.what == pool_action::kind::check;
      move(a.slot, was_check ? state::checking : state::resetting, state::idle);
      act([&](auto& out) {
        if (was_check) {
          core_.checked(a.slot, is_well, time_.now, out);
        } else {
          core_.reset_done(a.slot, is_well, time_.now, out);
        }
      });
    });
  }

  agenda& time_;
  std::mt19937_64& random_;
  const true_host& host_;
  const std::function<void(host_error)> tell_;
  const db::pool_params params_;
  pool_core core_;
  std::map<slot_id, unsigned> incarnations_;
  std::map<slot_id, bool> standbys_;
  std::size_t waiting_ = 0;
  time_point planned_ = time_point::max();
  bool is_failing_ = false;
};

}  // namespace test
