// When connections are opened, and what happens when they cannot be.

#include "pool_harness.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace scalekit::db::test;
using waiter_state = pool_waiter::state;

TEST_CASE("nothing is dialed before the first use; then min is kept open, a few at a time") {
  pool_harness pool(still(5, 20));
  CHECK(pool.pass(1h) == 0);
  pool_waiter w;

  pool.enqueue(w);
  auto dials = pool.taken(kind::dial);
  CHECK(dials.size() == 2);
  std::size_t opened = 0;
  for (; !dials.empty(); dials = pool.taken(kind::dial)) {
    CHECK(pool.stats().dialing <= 2);
    for (auto id : dials) pool.dialed(id);
    opened += dials.size();
  }

  CHECK(opened == 5);
  CHECK(w.now == waiter_state::granted);
  CHECK(pool.stats().idle == 4);
}

TEST_CASE("as many are dialed as wait, but no more than max_dials at a time or max in all") {
  auto params = still(0, 3);
  params.max_dials = 2;
  pool_harness pool(params);
  std::array<pool_waiter, 5> w;

  pool.enqueue(w[0]);
  CHECK(pool.stats().dialing == 1);
  for (std::size_t i = 1; i < w.size(); ++i) pool.enqueue(w[i]);
  CHECK(pool.stats().dialing == 2);
  const auto dials = pool.taken(kind::dial);
  pool.dialed(dials[0]);
  pool.dialed(dials[1]);

  CHECK(pool.stats().dialing == 1);
  CHECK(pool.stats().busy == 2);
  pool.dialed(pool.taken(kind::dial)[0]);
  CHECK(pool.stats().busy == 3);
  CHECK(pool.stats().dialing == 0);
  CHECK(pool.stats().waiting == 2);
}

TEST_CASE("a cancelled caller cancels no dial; what it opens becomes idle") {
  pool_harness pool(still(0, 5));
  pool_waiter w;
  pool.enqueue(w);
  const auto dials = pool.taken(kind::dial);

  pool.cancel(w);
  CHECK(pool.out.empty());
  CHECK(pool.stats().dialing == 1);
  pool.dialed(dials[0]);

  CHECK(pool.stats().idle == 1);
}

TEST_CASE("a dial whose demand is gone before it begins is never begun") {
  auto params = still(0, 5);
  params.max_dials = 1;
  pool_harness pool(params);
  std::array<pool_waiter, 3> w;
  for (auto& each : w) pool.enqueue(each);
  const auto dials = pool.taken(kind::dial);
  REQUIRE(dials.size() == 1);

  pool.cancel(w[1]);
  pool.cancel(w[2]);
  pool.dialed(dials[0]);

  CHECK(w[0].slot == dials[0]);
  CHECK(pool.taken(kind::dial).empty());
}

TEST_CASE("after failures dials pause, longer each time up to ten intervals, one at a time") {
  auto params = still(0, 5);
  params.create_retry_interval = 200ms;
  pool_harness pool(params);
  pool.lend(1);  // Something to wait for: nobody is turned away.
  std::array<pool_waiter, 3> w;
  for (auto& each : w) pool.enqueue(each);
  auto dials = pool.taken(kind::dial);
  REQUIRE(dials.size() == 2);
  pool.dial_failed(dials[0]);
  pool.dial_failed(dials[1]);

  for (const auto longest : {200ms, 400ms, 800ms, 1600ms, 2000ms, 2000ms}) {
    CHECK(pool.taken(kind::dial).empty());
    const auto pause = pool.core.next_event() - pool.now;
    CHECK(pause >= longest / 2);
    CHECK(pause <= longest);
    pool.pass(pause);
    dials = pool.taken(kind::dial);
    REQUIRE(dials.size() == 1);
    pool.dial_failed(dials[0]);
  }

  pool.pass(2s);
  pool.dialed(pool.taken(kind::dial)[0]);
  CHECK(pool.taken(kind::dial).size() == 2);
}

TEST_CASE("after three failures in a row who waits is told, and so is who comes before the next") {
  pool_harness pool(still(0, 5));
  pool_waiter w, soon, later;
  pool.enqueue(w);

  for (int failures = 0; failures < 3; ++failures) {
    CHECK(w.now == waiter_state::waiting);
    pool.pass(1s);
    pool.dial_failed(pool.taken(kind::dial)[0]);
  }

  CHECK(w.why == pool_refusal::unreachable);
  CHECK(pool.enqueue(soon) == pool_refusal::unreachable);
  const auto text = pool.core.describe(pool_refusal::unreachable, soon, pool.now);
  CHECK(text.find("3 dials failed in a row; the last: connection refused") != std::string::npos);

  // Nothing is dialed for nobody, but the first to come after the pause tries again.
  pool.pass(10s);
  CHECK(pool.taken(kind::dial).empty());
  CHECK(pool.enqueue(later) == pool_refusal::none);
  pool.dialed(pool.taken(kind::dial)[0]);
  CHECK(later.now == waiter_state::granted);
}

TEST_CASE("a server that others have reached is dialed at once") {
  pool_harness pool(still(0, 5));
  pool_waiter w, back, again;
  pool.enqueue(w);
  for (int failures = 0; failures < 3; ++failures) {
    pool.pass(2s);
    pool.dial_failed(pool.taken(kind::dial)[0]);
  }
  REQUIRE(w.why == pool_refusal::unreachable);

  pool.core.reachable(pool.now, pool.out);

  CHECK(pool.enqueue(back) == pool_refusal::none);
  pool.dial_failed(pool.taken(kind::dial)[0]);
  CHECK(pool.enqueue(again) == pool_refusal::none);
  CHECK(back.now == waiter_state::waiting);
}

TEST_CASE("while a connection lives, failed dials turn nobody away") {
  pool_harness pool(still(0, 5));
  const auto lent = pool.lend(1);
  pool_waiter w;
  pool.enqueue(w);
  for (int failures = 0; failures < 5; ++failures) {
    pool.pass(2s);
    pool.dial_failed(pool.taken(kind::dial)[0]);
  }

  CHECK(w.now == waiter_state::waiting);
  pool.release(lent[0]);

  CHECK(w.slot == lent[0]);
}

TEST_CASE("a hopeless failure is told at once") {
  pool_harness pool(still(0, 5));
  pool_waiter w;
  pool.enqueue(w);

  pool.dial_failed(pool.taken(kind::dial)[0], true);

  CHECK(w.why == pool_refusal::unreachable);
}

TEST_CASE("min comes back after an outage without a caller") {
  pool_harness pool(still(2, 5));
  const auto ids = pool.fill(2);
  for (auto id : ids) {
    REQUIRE(pool.try_acquire() != no_slot);
    static_cast<void>(id);
  }
  for (auto id : ids) pool.release(id, returned::broken);
  for (auto id : ids) pool.closed(id);
  for (auto id : pool.taken(kind::dial)) pool.dial_failed(id);

  for (int i = 0; i < 10; ++i) {
    pool.pass(2s);
    for (auto id : pool.taken(kind::dial)) pool.dialed(id);
  }

  CHECK(pool.stats().idle == 2);
  CHECK(pool.core.next_event() == scalekit::time_point::max());
}

TEST_CASE("a dial has until create_timeout, a close and a reset until destroy_timeout") {
  auto params = still(0, 2);
  params.create_timeout = 7s;
  params.destroy_timeout = 3s;
  pool_harness pool(params);
  pool_waiter w;

  pool.enqueue(w);
  CHECK(pool.out.back().until == pool.now + 7s);
  pool.dialed(pool.taken(kind::dial)[0]);
  pool.release(w.slot, returned::needs_reset);
  CHECK(pool.out.back().until == pool.now + 3s);
  pool.core.reset_done(w.slot, false, pool.now, pool.out);

  CHECK(pool.out.back().what == kind::close);
  CHECK(pool.out.back().until == pool.now + 3s);
}
