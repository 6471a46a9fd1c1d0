#pragma once

#include "db/pool/pool_core.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace scalekit::db::test {

using namespace std::chrono_literals;
using namespace scalekit::db::detail;
using kind = pool_action::kind;

/// Nothing becomes due by itself: tests switch on what they are about.
inline pool_params still(std::size_t min, std::size_t max) {
  return {.min = min,
          .max = max,
          .idle_timeout = 0s,
          .health_check_interval = 0s,
          .max_lifetime = 0s,
          .adaptive = false,
          .shed_target = 0s,
          .leak_after = 0s};
}

/// A pool core with a clock that the test moves, and the actions it asked for since the last look.
class pool_harness {
 public:
  explicit pool_harness(const pool_params& params, std::size_t max_waiting = 100)
      : core("db.example:5432", params, max_waiting, 1, time_point{} + 1h) {}

  slot_id try_acquire() { return core.try_acquire({std::source_location::current()}, now); }

  pool_refusal enqueue(pool_waiter& w, std::chrono::nanoseconds patience = 1h) {
    w.since = now;
    w.until = now + patience;
    return core.enqueue(w, now, out);
  }
  bool cancel(pool_waiter& w) { return core.abandon(w, pool_refusal::cancelled, now, out); }
  void release(slot_id id, returned how = returned::healthy) { core.release(id, how, now, out); }
  void dialed(slot_id id) { core.dial_succeeded(id, now, out); }
  void dial_failed(slot_id id, bool hopeless = false) {
    core.dial_failed(id, "connection refused", hopeless, now, out);
  }
  void closed(slot_id id) { core.closed(id, now, out); }

  /// Lends `n` fresh connections, one after another.
  std::vector<slot_id> lend(std::size_t n) {
    std::vector<slot_id> lent;
    for (std::size_t i = 0; i < n; ++i) {
      auto id = try_acquire();
      if (id == no_slot) {
        pool_waiter w;
        enqueue(w);
        for (auto dial : taken(kind::dial)) dialed(dial);
        id = w.slot;
      }
      lent.push_back(id);
    }
    // Those that only min asked for.
    for (auto dials = taken(kind::dial); !dials.empty(); dials = taken(kind::dial)) {
      for (auto dial : dials) dialed(dial);
    }
    out.clear();
    return lent;
  }

  /// As lend, but all idle again; the last of them was used last.
  std::vector<slot_id> fill(std::size_t n) {
    auto ids = lend(n);
    for (auto id : ids) release(id);
    out.clear();
    return ids;
  }

  /// Moves the clock, ticking whenever the core asked for it. Returns how often it did.
  int pass(std::chrono::nanoseconds d) {
    const auto end = now + d;
    int ticks = 0;
    while (core.next_event() <= end) {
      now = std::max(now, core.next_event());
      core.tick(now, out);
      ++ticks;
    }
    now = end;
    return ticks;
  }

  /// The slots of all actions of one kind since they were last taken; forgets those.
  std::vector<slot_id> taken(kind what) {
    std::vector<slot_id> ids;
    pool_actions rest;
    for (const auto& a : out) {
      if (a.what == what) {
        ids.push_back(a.slot);
      } else {
        rest.push_back(a);
      }
    }
    out = rest;
    return ids;
  }

  pool_statistics stats() const { return core.statistics(); }

  time_point now = time_point{} + 1h;
  pool_core core;
  pool_actions out;
};

}  // namespace scalekit::db::test
