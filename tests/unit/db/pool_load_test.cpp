// A pool under more load than it can serve: fairness, shedding, and its size.

#include "pool_harness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <queue>
#include <string>
#include <vector>

using namespace scalekit::db::test;
using scalekit::time_point;
using scalekit::db::pool_params;

namespace {

/// Callers that each hold a connection for `hold`, in a closed loop or arriving steadily.
struct load {
  explicit load(const pool_params& params) : pool(params, 10'000) {}

  void arrive(std::chrono::nanoseconds patience = 2s) {
    const auto id = pool.try_acquire();
    if (id != no_slot) return held(id, 0ns);
    waiting.push_back(std::make_unique<pool_waiter>());
    pool.enqueue(*waiting.back(), patience);
    settle();
  }

  /// Until `end`: returns, dials (that take `dial_time`) and ticks, each at its time.
  void run_until(time_point end) {
    for (;;) {
      const auto next =
          std::min(holds.empty() ? time_point::max() : holds.top().first, pool.core.next_event());
      if (next > end) break;
      pool.now = std::max(pool.now, next);
      if (!holds.empty() && holds.top().first <= pool.now) {
        const auto id = holds.top().second;
        holds.pop();
        if (id.is_dial) {
          pool.dialed(id.slot);
        } else {
          pool.release(id.slot);
          ++served;
          settle();
          if (closed_loop) arrive();
        }
      } else {
        pool.core.tick(pool.now, pool.out);
      }
      settle();
    }
    pool.now = end;
  }

  void held(slot_id id, std::chrono::nanoseconds wait) {
    waits.push_back(wait);
    holds.push({pool.now + hold, {id, false}});
  }

  void settle() {
    for (const auto& a : pool.out) {
      if (a.what == kind::grant) held(a.slot, pool.now - a.waiter->since);
      if (a.what == kind::refuse) {
        if (a.waiter->why == pool_refusal::overload) ++shed;
        if (a.waiter->why == pool_refusal::timeout) ++timed_out;
      }
      if (a.what == kind::dial) holds.push({pool.now + dial_time, {a.slot, true}});
    }
    pool.out.clear();
    std::erase_if(waiting, [](const auto& w) { return w->now != pool_waiter::state::waiting; });
  }

  std::chrono::nanoseconds quantile(double q) {
    std::sort(waits.begin(), waits.end());
    return waits[static_cast<std::size_t>(q * static_cast<double>(waits.size() - 1))];
  }

  struct held_slot {
    slot_id slot;
    bool is_dial;
    auto operator<=>(const held_slot&) const = default;
  };
  using hold_end = std::pair<time_point, held_slot>;

  pool_harness pool;
  std::chrono::nanoseconds hold = 1ms;
  std::chrono::nanoseconds dial_time = 20ms;
  bool closed_loop = false;
  std::priority_queue<hold_end, std::vector<hold_end>, std::greater<>> holds;
  std::vector<std::unique_ptr<pool_waiter>> waiting;
  std::vector<std::chrono::nanoseconds> waits;
  std::size_t served = 0;
  std::size_t shed = 0;
  std::size_t timed_out = 0;
};

}  // namespace

TEST_CASE("ten times as many callers as connections are all served, with nearly equal waits") {
  load l(pool_params{});
  l.closed_loop = true;
  for (int i = 0; i < 200; ++i) l.arrive();
  l.run_until(l.pool.now + 3s);  // The pool grows to its 20.
  CHECK(l.pool.stats().size == 20);
  l.waits.clear();

  l.run_until(l.pool.now + 5s);

  CHECK(l.shed == 0);
  CHECK(l.timed_out == 0);
  CHECK(l.waits.size() > 95'000);
  CHECK(l.quantile(0.99) <= l.quantile(0.5) * 13 / 10);
}

TEST_CASE("a burst that is over within the interval turns nobody away") {
  load l(pool_params{.min = 10, .max = 10});
  l.hold = 10ms;
  for (int i = 0; i < 1500; ++i) l.arrive(10s);

  l.run_until(l.pool.now + 10s);

  CHECK(l.served == 1500);
  CHECK(l.shed == 0);
}

TEST_CASE("under lasting overload the queue stays short: some are shed, the others served soon") {
  load l(pool_params{.min = 10, .max = 10});
  l.hold = 10ms;  // 1000 calls a second can be served; 2000 come.
  const auto arrivals = [&](std::chrono::seconds d) {
    for (int i = 0; i < 2000 * d.count(); ++i) {
      l.arrive();
      l.run_until(l.pool.now + 500us);
    }
  };
  arrivals(5s);
  l.waits.clear();
  l.served = l.shed = l.timed_out = 0;

  arrivals(5s);

  CHECK(l.timed_out == 0);
  CHECK(l.served > 4900);
  CHECK(l.shed > 4500);
  CHECK(l.quantile(1.0) <= 110ms);
  CHECK(l.quantile(0.01) >= 90ms);
}

TEST_CASE("short waits are good ones, also in a queue that is never empty") {
  load l(pool_params{.min = 1, .max = 1});
  l.closed_loop = true;
  for (int i = 0; i < 20; ++i) l.arrive();
  l.run_until(l.pool.now + 10s);
  REQUIRE(l.pool.stats().waiting > 10);

  for (int i = 0; i < 500; ++i) l.arrive();
  l.run_until(l.pool.now + 1s);

  CHECK(l.shed == 0);
}

TEST_CASE("an overload that is over is forgotten") {
  load l(pool_params{.min = 1, .max = 1});
  l.hold = 10ms;
  for (int i = 0; i < 3000; ++i) {
    l.arrive();
    l.run_until(l.pool.now + 2ms);
  }
  REQUIRE(l.shed > 0);
  l.run_until(l.pool.now + 1s);
  l.shed = 0;

  for (int i = 0; i < 150; ++i) l.arrive();
  l.run_until(l.pool.now + 1s);

  CHECK(l.shed == 0);
}

TEST_CASE("when all holders are stuck, who waits is shed after the interval, not at its deadline") {
  load l(pool_params{.min = 1, .max = 1});
  l.hold = 1h;
  l.arrive();
  l.run_until(l.pool.now + 1s);

  for (int i = 0; i < 10; ++i) l.arrive(1min);
  l.run_until(l.pool.now + 3s);

  CHECK(l.shed == 10);
}

TEST_CASE("who waits for a slow login is not shed") {
  load l(pool_params{});
  l.dial_time = 10s;
  for (int i = 0; i < 100; ++i) l.arrive(1min);

  for (int i = 0; i < 60; ++i) {
    l.run_until(l.pool.now + 1s);
    l.pool.core.tick(l.pool.now, l.pool.out);
    l.settle();
  }

  CHECK(l.shed == 0);
  CHECK(l.served == 100);
}

TEST_CASE("a wait that begins long after the last good one is not overload yet") {
  load l(pool_params{.min = 1, .max = 1});
  l.hold = 1h;
  l.arrive();
  l.run_until(l.pool.now + 10min);

  l.arrive(1min);
  l.run_until(l.pool.now + 1s);

  CHECK(l.shed == 0);
}

TEST_CASE("a connection that comes back is lent, even when everybody waits for too long already") {
  pool_harness pool(pool_params{.min = 1, .max = 1});
  const auto lent = pool.lend(1);
  pool_waiter first, second;
  pool.enqueue(first);
  pool.enqueue(second);

  pool.now += 10s;  // No tick on the way.
  pool.release(lent[0]);

  CHECK(first.why == pool_refusal::overload);
  CHECK(second.slot == lent[0]);
}

TEST_CASE("a pool whose connections are all taken for long grows while somebody waits") {
  auto params = still(1, 2);
  params.adaptive = true;
  pool_harness pool(params);
  pool.lend(1);
  pool.pass(1h);
  pool_waiter w;

  pool.enqueue(w);

  CHECK(pool.taken(kind::dial).size() == 1);
}

TEST_CASE("a pool that has just become busy grows a little later") {
  auto params = still(1, 2);
  params.adaptive = true;
  pool_harness pool(params);
  pool.fill(1);
  pool.pass(1h);
  REQUIRE(pool.try_acquire() != no_slot);
  pool_waiter w;

  pool.enqueue(w);
  CHECK(pool.out.empty());
  pool.pass(250ms);

  CHECK(pool.taken(kind::dial).size() == 1);
}

TEST_CASE("the size follows the use, and says why") {
  load l(pool_params{.min = 5,
                     .max = 20,
                     .idle_timeout = 0s,
                     .health_check_interval = 0s,
                     .max_lifetime = 0s,
                     .leak_after = 0s});
  l.closed_loop = true;
  l.hold = 10ms;
  for (int i = 0; i < 12; ++i) l.arrive();

  l.run_until(l.pool.now + 5s);
  const auto grown = l.pool.stats();
  l.closed_loop = false;
  l.run_until(l.pool.now + 10min);
  const auto shrunk = l.pool.stats();

  CHECK(grown.size == 12);
  CHECK(grown.size_reason.starts_with("grew 9 -> 12: "));
  CHECK(grown.size_reason.find(" of 9 in use over 250 ms, ") != std::string::npos);
  CHECK(shrunk.size == 5);
  CHECK(shrunk.idle == 5);
  CHECK(shrunk.size_reason.starts_with("shrank 6 -> 5: 0.00 of 6 in use over 10"));
}
