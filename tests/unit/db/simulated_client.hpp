#pragma once

// A client of a simulated cluster: its calls find their hosts by the real host_board, wait in the
// real pools, and are held against the truth.

#include "simulated_call.hpp"
#include "simulated_wire.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace test {

class simulated_client : public simulated_wire {
 public:
  simulated_client(std::uint64_t seed, life how, counts& total)
      : simulated_wire(seed, how), total_(total), routing_random_(seed) {}

  void run(int steps) {
    for (int i = 0; i < steps && failure.empty(); ++i) {
      step();
      make_calls();
      if (!how_.cluster.is_synchronous) write_of_another_client();
    }
    if (how_.cluster.is_synchronous && failure.empty()) recover();
    if (failure.empty()) finish();
  }

 private:
  using call_ptr = std::shared_ptr<simulated_call>;
  using stage = simulated_call::stage;

  // --- the end ---

  /// Everything acknowledged is on the timeline that has won, and writes go on there.
  void recover() {
    cluster_.heal();
    for (int i = 0; i < 200; ++i) step();
    const auto& winner = cluster_.newest_primary();
    for (const auto& write : acknowledged_) {
      if (!winner.has(write)) return fail("an acknowledged write is lost", 0);
    }
    const auto before = acknowledged_.size();
    for (int i = 0; i < 10; ++i) start(make_write());
    for (int i = 0; i < 80; ++i) step();
    if (acknowledged_.size() == before) fail("no write is done when all is well", 0);
  }

  /// Every call has ended, and pools give up all they have.
  void finish() {
    for (int i = 0; i < 80; ++i) step();
    if (open_calls_ > 0) return fail("a call has not ended", 0);
    for (host_id host = 0; host < pools_.size(); ++host) {
      if (pools_[host]->lends_any()) return fail("a connection was not given back to", host);
      pools_[host]->close();
    }
    time_.run_until(time_.now + 20s);
    for (host_id host = 0; host < pools_.size(); ++host) {
      check_pool(host);
      if (!pools_[host]->is_empty()) return fail("a connection has leaked from", host);
      const auto s = pools_[host]->statistics();
      total_.evictions += s.closed.evicted;
      total_.dial_failures += s.dial_failures;
      total_.waits += s.waited;
    }
  }

  // --- callers ---

  call_ptr make_write() {
    auto c = std::make_shared<simulated_call>();
    c->kind = access::write;
    return c;
  }

  void make_calls() {
    for (auto n = below(3); n > 0; --n) start_later(make_write());
    for (auto n = below(4); n > 0; --n) {
      auto c = std::make_shared<simulated_call>();
      const auto what = below(8);
      if (what == 0) {
        c->how = consistency::any();
      } else if (what == 1 && !how_.cluster.has_faults) {
        // Only where nothing is ever promoted: two primaries cannot both be fresh.
        c->how = consistency::bounded(200ms * (1 + below(20)));
      } else if (!written_.empty()) {
        c->must_see = written_[below(written_.size())];
        c->how = consistency::after(
            db::causal_token::postgres(cluster, c->must_see->timeline, c->must_see->position));
      }
      start_later(std::move(c));
    }
  }

  void start_later(call_ptr c) {
    time_.in(50us * below(1000), [this, c] { start(c); });
  }

  void start(const call_ptr& c) {
    ++open_calls_;
    c->user.reads = c->kind == access::read;
    c->begun = time_.now;
    c->patience = c->begun + 1s;
    c->deadline = c->begun + 300ms * (1 + below(10));
    time_.when(c->deadline, [this, c] { stop(c); });
    // Some callers go away.
    if (below(10) == 0) time_.in(some_time() * 5, [this, c] { stop(c); });
    look(c);
  }

  void look(const call_ptr& c) {
    if (c->where == stage::over) return;
    if (c->kind == access::write) {
      look_for_writer(c);
    } else {
      look_for_reader(c);
    }
  }

  void look_again(const call_ptr& c, refusal why) {
    const bool stands =
        !may_pass(why) || why == refusal::split_brain || why == refusal::mixed_clusters;
    if (!stands && time_.now < c->patience) return time_.in(50ms, [this, c] { look(c); });
    if (c->kind == access::write) ++total_.refused_writes;
    if (why == refusal::split_brain) ++total_.split_brains;
    end(c);
  }

  void look_for_writer(const call_ptr& c) {
    const auto route = board_.writer(time_.now);
    if (!route) return look_again(c, route.why);
    if (route.generation < generation_) return fail("the generation went back at", route.host);
    if (route.generation == generation_ && generation_ > 0 && route.host != writer_) {
      return fail("another writer of the same generation", route.host);
    }
    generation_ = route.generation;
    writer_ = route.host;
    take(c, route.host);
  }

  void look_for_reader(const call_ptr& c) {
    c->route =
        board_.reader({.how = c->how, .begun = c->begun, .until = c->deadline, .asked = c->asked},
                      time_.now, routing_random_);
    switch (c->route.what) {
      case read_route::kind::use:
        c->knew_history = histories_read_.contains(heard_[c->route.host].last->timeline);
        return take(c, c->route.host);
      case read_route::kind::ask:
        ++total_.asks;
        ++c->asked;
        return time_.when(c->route.when, [this, c] { ask(c); });
      case read_route::kind::refused:
        if (c->route.why == refusal::token_lost) check_lost(*c->must_see);
        return look_again(c, c->route.why);
    }
  }

  void ask(const call_ptr& c) {
    const auto host = c->route.host;
    const auto& at = cluster_.hosts()[host];
    if (at.answers() && at.incarnation == monitored_[host]) {
      const auto truth = truth_of(host, time_.now);
      board_.replayed(host, {truth.timeline, truth.position}, time_.now);
      return look(c);
    }
    monitor_failed(host, host_error::lost);
    time_.in(50ms, [this, c] { look(c); });
  }

  void take(const call_ptr& c, host_id host) {
    c->host = host;
    c->where = stage::waiting;
    c->until = std::min(c->patience, c->deadline);
    if (pools_[host]->acquire(*c, [this, c] { waited(c); })) send(c);
  }

  void waited(const call_ptr& c) {
    if (time_.now > std::max(c->until, c->since) + 2ms)
      return fail("a caller waited for longer than it may at", c->host);
    if (c->now == pool_waiter::state::refused) {
      ++total_.turned_away;
      const bool is_host = c->why == pool_refusal::unreachable || c->why == pool_refusal::evicted;
      return failed(c, is_host ? errc::unavailable : errc::acquire_timeout);
    }
    if (c->where == stage::over) return pools_[c->host]->release(c->slot, returned::healthy);
    const auto route = board_.writer(time_.now);
    if (c->kind == access::write && (!route || route.host != c->host)) {
      ++total_.too_late_to_write;
      pools_[c->host]->release(c->slot, returned::healthy);
      return failed(c, errc::unavailable);
    }
    send(c);
  }

  void failed(const call_ptr& c, errc code) {
    if (c->where == stage::over) return;
    c->where = stage::looking;
    const scalekit::error e(make_error_code(code), {"it failed", {}, {}, "h"});
    if (!c->chance.allows(e, c->kind, true)) return end(c);
    ++total_.retries;
    look(c);
  }

  void end(const call_ptr& c) {
    if (std::exchange(c->where, stage::over) == stage::over) return;
    --open_calls_;
    if (time_.now > c->deadline + 2ms) fail("a call ended after its deadline at", c->host);
  }

  /// Its time is over, or its caller is gone.
  void stop(const call_ptr& c) {
    if (c->where == stage::over) return;
    ++total_.stopped;
    if (c->where == stage::waiting) pools_[c->host]->abandon(*c);
    if (c->where == stage::running) {
      ++total_.resets;
      if (c->kind == access::write) ++total_.writes_in_doubt;
      board_.call_ended(c->host, std::nullopt);
      pools_[c->host]->release(c->slot, returned::needs_reset);
    }
    end(c);
  }

  // --- on a connection ---

  void send(const call_ptr& c) {
    if (c->kind == access::read && is_unfit(*c)) {
      pools_[c->host]->release(c->slot, returned::healthy);
      return failed(c, errc::unavailable);
    }
    if (c->kind == access::write) check_write(c->host);
    c->where = stage::running;
    board_.call_began(c->host);
    const auto attempt = ++c->attempt;
    const auto is_wanted = [c, attempt] {
      return c->where == stage::running && c->attempt == attempt;
    };
    auto sent = std::make_shared<simulated_statement>();
    sent->host = c->host;
    sent->incarnation = pools_[c->host]->incarnation(c->slot);
    if (c->kind == access::read) {
      sent->reads = [this, c, is_wanted] {
        if (is_wanted()) check_read(*c);
      };
    }
    sent->answered = [this, c, is_wanted](answer what, const std::optional<true_write>& write) {
      if (is_wanted()) answered(c, what, write);
    };
    deliver(sent);
  }

  bool is_unfit(const simulated_call& c) {
    const auto made_at = pools_[c.host]->made_at(c.slot);
    if (made_at <= c.route.as_of) return false;
    if (!c.route.on_primary) {
      ++total_.new_connections;
      board_.connected_anew(c.host, made_at);
      return true;
    }
    if (!pools_[c.host]->was_standby(c.slot)) return false;
    ++total_.new_standbys;
    if (was_told_of_primary(c.host)) heard_[c.host].no_primary_since = time_.now;
    board_.parameter_status(c.host, {.in_hot_standby = true}, time_.now);
    settle();
    return true;
  }

  void answered(const call_ptr& c, answer what, const std::optional<true_write>& write) {
    c->where = stage::looking;
    const auto host = c->host;
    if (what == answer::done) {
      board_.call_ended(host, time_.now - c->begun);
      note_role(host);
      pools_[host]->release(c->slot, returned::healthy);
      if (write) note_written(*write);
      return end(c);
    }
    board_.call_ended(host, std::nullopt);
    error(host, what == answer::lost ? host_error::lost : host_error::read_only);
    pools_[host]->release(c->slot, what == answer::lost ? returned::broken : returned::healthy);
    if (what == answer::read_only) return failed(c, errc::read_only);
    // A write may have been executed.
    if (c->kind == access::write) {
      ++total_.writes_in_doubt;
      return end(c);
    }
    failed(c, errc::connection_lost);
  }

  void note_written(const true_write& write) {
    ++total_.writes;
    acknowledged_.push_back(write);
    remember({write.fork, write.timeline, write.position, time_.now});
  }

  /// Its token comes to our client's reads, whoever that client is.
  void write_of_another_client() {
    const auto host = below(4 * cluster_.hosts().size());
    if (host >= cluster_.hosts().size()) return;
    auto& at = cluster_.hosts()[host];
    if (!at.runs() || at.in_recovery) return;
    at.position += 5;
    remember({at.fork, at.timeline, at.position, time_.now});
  }

  void remember(const true_write& write) {
    written_.push_back(write);
    if (written_.size() > 12) written_.pop_front();
  }

  // --- what must hold ---

  void check_write(host_id host) {
    if (!is_known_primary(host)) return fail("a write without evidence to", host);
    const auto timeline = heard_[host].last->timeline;
    for (host_id other = 0; other < heard_.size(); ++other) {
      if (other != host && is_known_primary(other) && heard_[other].last->timeline >= timeline) {
        return fail("a write in a split brain to", host);
      }
    }
    if (timeline < newest_timeline_) return fail("a write to a replaced primary", host);
    newest_timeline_ = timeline;
  }

  void check_read(const simulated_call& c) {
    const auto& host = cluster_.hosts()[c.host];
    ++(c.route.on_primary ? total_.reads_on_primary : total_.reads_on_replicas);
    if (c.how.what() == consistency::kind::bounded) return check_bounded(c);
    if (!c.must_see) return;
    const auto& write = *c.must_see;
    if (cluster_.is_ambiguous(write.timeline) || cluster_.is_ambiguous(host)) return;
    // The primary may have lost it; without its history nobody can tell.
    if (c.route.on_primary && !c.knew_history && write.timeline < host.timeline) return;
    if (!host.has(write)) fail("a stale read on", c.host);
  }

  void check_bounded(const simulated_call& c) {
    if (c.route.on_primary) return;
    ++total_.bounded_on_replicas;
    for (const auto& write : written_) {
      if (write.when < c.begun - c.how.lag() && !cluster_.hosts()[c.host].has(write)) {
        return fail("a bounded read misses an old write on", c.host);
      }
    }
  }

  void check_lost(const true_write& write) {
    ++total_.lost_tokens;
    const auto primary = board_.writer(time_.now);
    if (!primary) return;
    // It is lost to the primary that is known; the host may be another one's follower by now.
    const auto& host = cluster_.hosts()[primary.host];
    if (host.timeline != heard_[primary.host].last->timeline) return;
    if (cluster_.is_ambiguous(write.timeline) || cluster_.is_ambiguous(host)) return;
    if (host.has(write)) fail("a write said to be lost is on", primary.host);
  }

  counts& total_;
  random_generator routing_random_;
  std::deque<true_write> written_;
  std::vector<true_write> acknowledged_;
  std::uint64_t generation_ = 0;
  std::uint32_t newest_timeline_ = 0;
  host_id writer_ = 0;
  std::size_t open_calls_ = 0;
};

}  // namespace test
