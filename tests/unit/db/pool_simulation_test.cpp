// Random histories of a pool under a virtual clock. After every step, what pool_core promises is
// compared with a model that knows nothing of how it decides.

#include "db/pool/pool_core.hpp"
#include "pool_model.hpp"
#include "support/sanitizer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit::db::detail;
using scalekit::time_point;
using scalekit::db::pool_params;
using scalekit::db::test::connection_model;
using support::fewer_under_sanitizer;

namespace {

using kind = pool_action::kind;

/// A server, its network, and the callers: what happens when is drawn from the seed.
class world : public connection_model {
 public:
  explicit world(unsigned seed)
      : random_(seed), params_(draw_params()), core_("db", params_, max_waiting, seed, now_) {
    limit_ = params_.max;
    min_ = params_.min;
  }

  void run(int steps) {
    for (int i = 0; i < steps && fault_.empty(); ++i) {
      step();
      check();
    }
    if (fault_.empty()) finish();
  }

  /// How often the rarer things happened: a history in which they do not proves nothing.
  std::map<std::string, std::uint64_t> tally() const {
    const auto s = core_.statistics();
    return {{"granted", granted_},
            {"granted after a wait", s.waited},
            {"timed out", s.acquire_timeouts},
            {"reads that leave room", kept_out_},
            {"shed", s.shed},
            {"overload", overloads_},
            {"unreachable", s.unreachable},
            {"dials", s.dials},
            {"failed dials", s.dial_failures},
            {"successors", successors_},
            {"leaks", s.leaks_reported},
            {"grown", grown_},
            {"shrunk", shrunk_},
            {"closed: broken", s.closed.broken},
            {"closed: spent", s.closed.spent},
            {"closed: idle", s.closed.idle},
            {"closed: expired", s.closed.expired},
            {"closed: evicted", s.closed.evicted},
            {"closed: surplus", s.closed.surplus},
            {"closed: unhealthy", s.closed.unhealthy},
            {"closed with the pool", s.closed.pool_closed}};
  }

 private:
  static constexpr std::size_t max_waiting = 12;

  using caller = pool_waiter;

  struct event {
    kind what;
    slot_id slot;
  };

  // --- what happens ---

  pool_params draw_params() {
    pool_params p;
    p.max = 1 + pick(6);
    p.min = pick(p.max + 1);
    p.max_dials = 1 + pick(3);
    p.adaptive = pick(2) == 0;
    p.grow_after = 20ms;
    p.shrink_after = 500ms;
    p.reap_interval = 50ms;
    p.idle_timeout = pick(3) == 0 ? 0s : 2s;
    p.health_check_interval = pick(3) == 0 ? 0s : 700ms;
    p.max_lifetime = pick(3) == 0 ? 0s : 5s;
    p.shed_target = pick(2) == 0 ? 0ms : 50ms;
    p.shed_interval = 200ms;
    p.leak_after = 1s;
    p.create_retry_interval = 50ms;
    server_fails_ = pick(4) == 0 ? 40 : 5;
    reads_of_hundred_ = pick(3) * 40;
    // The shortest life is half of the longest.
    ripe_after_ = p.max_lifetime / 2 * 95 / 100;
    return p;
  }

  std::size_t pick(std::size_t n) { return random_() % n; }
  std::chrono::nanoseconds some_time() {
    static constexpr std::array<std::chrono::nanoseconds, 4> scales{100us, 2ms, 40ms, 400ms};
    return scales[pick(scales.size())] * static_cast<int>(1 + pick(9)) / 3;
  }

  void step() {
    switch (pick(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return acquire();
      case 4:
      case 5:
      case 6:
        return give_back();
      case 7:
        return cancel();
      case 8:
        if (pick(20) == 0 && !closed_) return change_limits();
        if (pick(20) == 0) return evict();
        if (pick(400) == 0) return close();
        if (pick(30) == 0) server_fails_ = server_fails_ > 50 ? 5 : 95;
        return;
      case 9:
        // A tick that nobody asked for.
        return with_actions([&](auto& out) { core_.tick(now_, out); });
      default:
        pass(some_time());
    }
  }

  void acquire() {
    const pool_user user{.site = std::source_location::current(),
                         .reads = pick(100) < reads_of_hundred_};
    const bool had_idle = in(state::idle) > 0;
    const auto id = core_.try_acquire(user, now_);
    used_ = true;
    if (id != no_slot) {
      require(had_idle, "only an idle connection is lent");
      require(queue_.empty() || (only_reads_wait() && !user.reads), "nobody overtakes a waiter");
      require(slots_[id].used == last_use(), "the last used first");
      note_lent(id, user);
      move(id, state::idle, state::lent);
      ++granted_;
      return;
    }
    require(!had_idle || (user.reads && reads_are_at_their_limit()), "an idle connection is lent");
    auto w = std::make_unique<caller>();
    w->user = user;
    w->since = now_;
    w->until = now_ + (pick(10) == 0 ? 0ms : some_time() * 3);
    const bool was_full = queue_.size() >= max_waiting;
    passing_ = 1;
    with_actions([&](auto& out) {
      const auto why = core_.enqueue(*w, now_, out);
      if (why == pool_refusal::none) {
        require(!was_full && !closed_ && w->until > now_, "only who may wait waits");
        queue_.push_back(std::move(w));
        return;
      }
      require(why != pool_refusal::queue_full || was_full, "shed only when the queue is full");
      require((why == pool_refusal::closed) == closed_, "a closed pool says so");
      if (why == pool_refusal::unreachable) require(living() == 0, "nothing to wait for");
    });
    passing_ = 0;
  }

  void note_lent(slot_id id, const pool_user& user) {
    if (user.reads) {
      require(!reads_are_at_their_limit() || !is_room_kept(), "reads leave room for writes");
      reads_lent_.insert(id);
    } else {
      written_ = now_;
    }
  }

  bool reads_are_at_their_limit() const {
    const auto room = std::min(limit_ - 1, (limit_ + 9) / 10);
    return reads_lent_.size() >= limit_ - room;
  }

  bool is_room_kept() const { return now_ < written_ + 10s; }

  bool only_reads_wait() const {
    return std::all_of(queue_.begin(), queue_.end(), [](const auto& w) { return w->user.reads; });
  }

  void give_back() {
    const auto id = any(state::lent);
    if (!id) return;
    reads_lent_.erase(*id);
    const auto how = pick(12) == 0   ? returned::broken
                     : pick(12) == 0 ? returned::spent
                     : pick(8) == 0  ? returned::needs_reset
                                     : returned::healthy;
    slots_[*id].state = state::idle;
    slots_[*id].used = now_;
    slots_[*id].may_serve = how == returned::healthy;
    with_actions([&](auto& out) { core_.release(*id, how, now_, out); });
  }

  void cancel() {
    if (queue_.empty()) return;
    auto at = queue_.begin() + static_cast<std::ptrdiff_t>(pick(queue_.size()));
    auto gone = std::move(*at);
    queue_.erase(at);
    with_actions([&](auto& out) {
      require(core_.abandon(*gone, pool_refusal::cancelled, now_, out), "who waits may leave");
    });
    require(!core_.abandon(*gone, pool_refusal::cancelled, now_, spare_), "only once");
  }

  void change_limits() {
    limit_ = 1 + pick(params_.max);
    min_ = pick(limit_ + 1);
    with_actions([&](auto& out) { core_.set_limits(min_, limit_, "test", now_, out); });
  }

  void evict() {
    ++generation_;
    with_actions([&](auto& out) { core_.evict_all(generation_, now_, out); });
    require(in(state::idle) == 0, "no idle connection survives an eviction");
  }

  void close() {
    closed_ = true;
    with_actions([&](auto& out) { core_.close(now_, out); });
    require(queue_.empty() && in(state::idle) == 0, "a closed pool holds nobody up");
  }

  /// Time passes; what comes due on the way happens in its order.
  void pass(std::chrono::nanoseconds d) {
    const auto end = now_ + d;
    for (int turns = 0;; ++turns) {
      require(turns < 10'000, "time stands still: ticks ask for the next at once");
      const auto timer = core_.next_event();
      const auto network = network_.empty() ? time_point::max() : network_.begin()->first;
      const auto next = std::min(timer, network);
      if (next > end || !fault_.empty()) break;
      now_ = std::max(now_, next);
      if (network <= timer) {
        const auto e = network_.begin()->second;
        network_.erase(network_.begin());
        arrive(e);
      } else {
        with_actions([&](auto& out) { core_.tick(now_, out); });
      }
      check();
    }
    now_ = std::max(now_, end);
  }

  /// The answer to an action.
  void arrive(event e) {
    const bool fails = pick(100) < server_fails_;
    auto& s = slots_[e.slot];
    with_actions([&](auto& out) {
      switch (e.what) {
        case kind::dial:
          if (fails) {
            forget(e.slot, state::dialing);
            core_.dial_failed(e.slot, "refused", pick(10) == 0, now_, out);
          } else {
            s.state = state::idle;
            s.born = s.used = now_;
            core_.dial_succeeded(e.slot, now_, out);
          }
          return;
        case kind::check:
          s.state = state::idle;
          s.may_serve = !fails;
          core_.checked(e.slot, !fails, now_, out);
          return;
        case kind::reset:
          s.state = state::idle;
          s.used = now_;
          s.may_serve = !fails;
          core_.reset_done(e.slot, !fails, now_, out);
          return;
        default:
          forget(e.slot, state::closing);
          core_.closed(e.slot, now_, out);
      }
    });
  }

  // --- what the pool wants ---

  template <class Call>
  void with_actions(Call call) {
    pool_actions out;
    call(out);
    for (const auto& a : out) perform(a);
  }

  void perform(const pool_action& a) {
    switch (a.what) {
      case kind::grant: {
        auto* w = a.waiter;
        const auto at = std::find_if(queue_.begin(), queue_.end(),
                                     [&](const auto& other) { return other.get() == w; });
        require(at != queue_.end(), "only who waits is served");
        if (at == queue_.end()) return;
        const bool passes_reads = at != queue_.begin();
        require(!passes_reads ||
                    (!w->user.reads && reads_are_at_their_limit() &&
                     std::all_of(queue_.begin(), at, [](const auto& o) { return o->user.reads; })),
                "the first who waits is served, but for reads that leave room");
        require(w->now == pool_waiter::state::granted && w->slot == a.slot, "and knows it");
        require(slots_[a.slot].may_serve, "no broken connection is lent");
        require(slots_[a.slot].generation == generation_, "no evicted connection is lent");
        note_lent(a.slot, w->user);
        move(a.slot, state::idle, state::lent);
        queue_.erase(at);
        ++granted_;
        return;
      }
      case kind::refuse: {
        auto at = std::find_if(queue_.begin(), queue_.end(),
                               [&](const auto& w) { return w.get() == a.waiter; });
        require(at != queue_.end(), "only who waits is refused");
        if (at == queue_.end()) return;
        const auto& w = **at;
        require(w.now == pool_waiter::state::refused, "and knows it");
        require(w.why != pool_refusal::timeout || w.until <= now_, "nobody is timed out early");
        if (w.why == pool_refusal::overload) {
          ++overloads_;
          require(params_.shed_target.count() > 0 && now_ - w.since > 2 * params_.shed_target,
                  "only who waited twice the target is shed");
          require(at == queue_.begin(), "the longest wait is shed first");
        }
        require(!core_.describe(w.why, w, now_).empty(), "with a text");
        queue_.erase(at);
        return;
      }
      case kind::dial:
        require(slots_.find(a.slot) == slots_.end(), "a dial into an empty place");
        require(used_ && !closed_, "no dial before the first use, or after closing");
        require(living() < limit_ && slots_.size() < limit_, "never more than max");
        slots_[a.slot] = {
            .state = state::dialing, .generation = generation_, .is_successor = !is_demanded()};
        if (slots_[a.slot].is_successor) require_successor();
        network_.emplace(now_ + some_time(), event{a.what, a.slot});
        return;
      case kind::check:
        move(a.slot, state::idle, state::checking);
        network_.emplace(now_ + some_time(), event{a.what, a.slot});
        return;
      case kind::reset:
        move(a.slot, state::idle, state::resetting);
        network_.emplace(now_ + some_time(), event{a.what, a.slot});
        return;
      case kind::close:
        move(a.slot, state::idle, state::closing);
        require(a.reason != close_reason::idle || living() >= min_, "min is not closed for idling");
        if (is_ripe(slots_[a.slot], now_)) {
          // Its successor, if there is one on its way, is then a dial like any other.
          for (auto& [id, s] : slots_) s.is_successor = false;
        }
        network_.emplace(now_ + some_time(), event{a.what, a.slot});
        return;
      case kind::report_leak:
        require(
            !core_.describe_leak(a.slot, now_).empty() && slots_.at(a.slot).state == state::lent,
            "only what is lent leaks");
        return;
      case kind::report_nested:
        require(false, "no caller has a thread here");
    }
  }

  /// Somebody waits whom no other dial will serve, or fewer than min live, not counting those
  /// that only their user keeps alive, nor both a connection and its successor.
  bool is_demanded() const {
    const auto uncounted = std::count_if(slots_.begin(), slots_.end(), [&](const auto& entry) {
      const auto& s = entry.second;
      const bool may_be_retiring =
          is_ripe(s, now_) && s.state != state::idle && s.state != state::closing;
      return may_be_retiring || (s.state == state::dialing && s.is_successor);
    });
    return queue_.size() + passing_ > in(state::dialing) ||
           living() < min_ + static_cast<std::size_t>(uncounted);
  }

  /// Without demand, a dial is the one successor of one that expires soon.
  void require_successor() {
    const auto successors = std::count_if(slots_.begin(), slots_.end(), [](const auto& entry) {
      return entry.second.state == state::dialing && entry.second.is_successor;
    });
    const bool is_needed = std::any_of(slots_.begin(), slots_.end(), [&](const auto& entry) {
      return is_ripe(entry.second, now_);
    });
    require(successors == 1 && is_needed, "no dial without demand");
    ++successors_;
  }

  // --- what must hold at any time ---

  void check() {
    const auto stats = core_.statistics();
    require(stats.busy == in(state::lent), "lent as the callers say");
    require(stats.idle == in(state::idle), "idle as the model says");
    require(stats.dialing == in(state::dialing), "dialing as the model says");
    require(stats.closing == in(state::closing), "closing as the model says");
    require(stats.unready == in(state::checking) + in(state::resetting), "unready likewise");
    require(stats.waiting == queue_.size(), "nobody in the queue is lost");
    require(stats.limit == limit_, "the limit is what was set last");
    require(slots_.size() <= params_.max, "never more connections than places");
    require(in(state::dialing) <= params_.max_dials, "never more dials than allowed");
    if (!queue_.empty() && in(state::idle) > 0) {
      ++kept_out_;
      require(only_reads_wait() && reads_are_at_their_limit() && is_room_kept(),
              "nobody waits beside an idle connection, but reads that leave room");
    }
    require(stats.size >= std::max<std::size_t>(min_, 1) && stats.size <= limit_,
            "the size is between min and max");
    const auto& change = core_.last_change();
    if (change.when != last_change_) {
      last_change_ = change.when;
      grown_ += change.text.starts_with("grew");
      shrunk_ += change.text.starts_with("shrank");
    }
    for (const auto& [id, s] : slots_) {
      if (s.state != state::idle) continue;
      require(s.may_serve && s.generation == generation_ && !closed_, "idle ones may serve");
    }
    for (const auto& w : queue_) {
      require(now_ <= w->until + 1ms, "nobody waits longer than his time");
    }
    // Who waits is served by something that will happen: an answer, a return, or a tick.
    require(queue_.empty() || core_.next_event() != time_point::max(), "who waits has a timer");
  }

  /// All callers give back and go: the pool must come to rest, with nothing lost.
  void finish() {
    server_fails_ = 0;
    for (int i = 0; i < 2000 && (!queue_.empty() || in(state::lent) > 0) && fault_.empty(); ++i) {
      give_back();
      pass(10ms);
      check();
    }
    pass(10s);
    require(queue_.empty(), "everybody was served or refused in the end");
    const bool min_is_kept = !used_ || slots_.size() >= min_ || in(state::dialing) > 0;
    require(closed_ || min_is_kept, "min is kept");
    close();
    pass(10s);
    check();
    require(core_.is_empty() && slots_.empty(), "closed and empty in the end");
    require(core_.next_event() == time_point::max(), "nothing is due when all is over");
  }

  std::optional<slot_id> any(state s) {
    const auto n = in(s);
    if (n == 0) return std::nullopt;
    auto which = pick(n);
    for (const auto& [id, entry] : slots_) {
      if (entry.state == s && which-- == 0) return id;
    }
    return std::nullopt;
  }

  std::mt19937 random_;
  std::size_t server_fails_ = 5;
  std::size_t reads_of_hundred_ = 0;
  time_point now_ = time_point{} + 1h;
  pool_params params_;
  pool_core core_;
  std::multimap<time_point, event> network_;
  std::deque<std::unique_ptr<caller>> queue_;
  pool_actions spare_;
  std::set<slot_id> reads_lent_;
  time_point written_ = {};
  std::uint64_t kept_out_ = 0;
  std::size_t limit_ = 0;
  std::size_t min_ = 0;
  std::size_t passing_ = 0;
  std::uint64_t generation_ = 0;
  std::uint64_t granted_ = 0;
  std::uint64_t overloads_ = 0;
  std::uint64_t successors_ = 0;
  std::uint64_t grown_ = 0;
  std::uint64_t shrunk_ = 0;
  time_point last_change_ = {};
  bool used_ = false;
  bool closed_ = false;
};

}  // namespace

TEST_CASE("random histories of a server pool keep every promise") {
  std::map<std::string, std::uint64_t> tally;

  for (unsigned seed = 0; seed < fewer_under_sanitizer(4000U); ++seed) {
    world w(seed);
    w.run(400);
    CAPTURE(seed);
    REQUIRE(w.fault() == "");
    for (const auto& [what, times] : w.tally()) tally[what] += times;
  }

  for (const auto& [what, times] : tally) {
    CAPTURE(what);
    CHECK(times > fewer_under_sanitizer(500U));
  }
}
