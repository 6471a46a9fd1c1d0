// Who gets a connection, in which order, and who gets none.

#include "pool_harness.hpp"

#include <doctest/doctest.h>

#include <string>
#include <thread>
#include <vector>

using namespace scalekit::db::test;
using ids = std::vector<slot_id>;
using waiter_state = pool_waiter::state;

TEST_CASE("the connection that was used last is lent first") {
  pool_harness pool(still(0, 3));
  const auto lent = pool.lend(3);
  pool.release(lent[1]);
  pool.release(lent[2]);
  pool.release(lent[0]);

  CHECK(pool.try_acquire() == lent[0]);
  CHECK(pool.try_acquire() == lent[2]);
  CHECK(pool.try_acquire() == lent[1]);
  CHECK(pool.try_acquire() == no_slot);
}

TEST_CASE("a connection that comes back goes to the oldest waiter, not to a newcomer") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  pool_waiter first, second;
  pool.enqueue(first);
  pool.enqueue(second);

  pool.release(lent[0]);

  CHECK(first.now == waiter_state::granted);
  CHECK(first.slot == lent[0]);
  CHECK(second.now == waiter_state::waiting);
  CHECK(pool.try_acquire() == no_slot);
  CHECK(pool.taken(kind::grant) == lent);
}

TEST_CASE("a connection that is dialed goes to the oldest waiter, whoever caused the dial") {
  pool_harness pool(still(0, 2));
  const auto lent = pool.lend(1);
  pool_waiter first, second;
  pool.enqueue(first);
  const auto dial = pool.taken(kind::dial);
  pool.enqueue(second);

  pool.release(lent[0]);
  pool.dialed(dial[0]);

  CHECK(first.slot == lent[0]);
  CHECK(second.slot == dial[0]);
}

TEST_CASE("one more than may wait is turned away at once, and told why") {
  pool_harness pool(still(0, 1), 1);
  pool.lend(1);
  pool_waiter first, second;

  CHECK(pool.enqueue(first) == pool_refusal::none);
  CHECK(pool.enqueue(second) == pool_refusal::queue_full);

  CHECK(pool.stats().shed == 1);
  CHECK(pool.stats().waiting == 1);
  CHECK(pool.core.describe(pool_refusal::queue_full, second, pool.now).find("already 1 callers") !=
        std::string::npos);
}

TEST_CASE("who waits is timed out at its own time, whatever its place") {
  pool_harness pool(still(0, 1));
  pool.lend(1);
  pool_waiter patient, hasty;
  pool.enqueue(patient, 2s);
  pool.enqueue(hasty, 100ms);

  pool.pass(99ms);
  CHECK(hasty.now == waiter_state::waiting);
  pool.pass(1ms);
  CHECK(hasty.now == waiter_state::refused);
  CHECK(hasty.why == pool_refusal::timeout);
  CHECK(patient.now == waiter_state::waiting);
  pool.pass(2s);

  CHECK(patient.why == pool_refusal::timeout);
  CHECK(pool.stats().acquire_timeouts == 2);
}

TEST_CASE("a connection is not wasted on who has just run out of time") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  pool_waiter late, next;
  pool.enqueue(late, 100ms);
  pool.enqueue(next, 2s);

  pool.now += 150ms;
  pool.release(lent[0]);

  CHECK(late.why == pool_refusal::timeout);
  CHECK(next.slot == lent[0]);
}

TEST_CASE("who does not want to wait does not, but its demand is noticed") {
  pool_harness pool(still(0, 1));
  pool_waiter w, later;

  CHECK(pool.enqueue(w, 0ms) == pool_refusal::timeout);
  const auto dial = pool.taken(kind::dial);
  REQUIRE(dial.size() == 1);
  CHECK(pool.enqueue(later, 0ms) == pool_refusal::timeout);
  CHECK(pool.taken(kind::dial).empty());
  pool.dialed(dial[0]);

  CHECK(pool.try_acquire() == dial[0]);
}

TEST_CASE("with max_waiting 0 nobody waits, and the pool still fills") {
  pool_harness pool(still(0, 1), 0);
  pool_waiter w;

  CHECK(pool.enqueue(w) == pool_refusal::queue_full);
  const auto dial = pool.taken(kind::dial);
  REQUIRE(dial.size() == 1);
  pool.dialed(dial[0]);

  CHECK(pool.try_acquire() == dial[0]);
}

TEST_CASE("who left is skipped, and leaving after the grant is too late") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  pool_waiter first, second;
  pool.enqueue(first);
  pool.enqueue(second);

  CHECK(pool.cancel(first));
  pool.release(lent[0]);

  CHECK(second.slot == lent[0]);
  CHECK_FALSE(pool.cancel(second));
  CHECK_FALSE(pool.cancel(first));
  CHECK(pool.stats().cancelled_waits == 1);
}

TEST_CASE("a broken connection is closed, and its place is free only when its socket is") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  pool_waiter w;

  pool.release(lent[0], returned::broken);
  CHECK(pool.taken(kind::close) == lent);
  pool.enqueue(w);
  CHECK(pool.taken(kind::dial).empty());
  pool.closed(lent[0]);

  CHECK(pool.taken(kind::dial) == lent);
  CHECK(pool.stats().closed.broken == 1);
}

TEST_CASE("a connection with something left in its session serves nobody any more") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  pool_waiter w;
  pool.enqueue(w);

  pool.release(lent[0], returned::spent);

  CHECK(pool.taken(kind::close) == lent);
  CHECK(w.now == waiter_state::waiting);
  CHECK(pool.stats().closed.spent == 1);
  CHECK(pool.stats().closed.broken == 0);
}

TEST_CASE("a connection to be reset serves nobody before it is") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  pool_waiter w;
  pool.enqueue(w);

  pool.release(lent[0], returned::needs_reset);
  CHECK(pool.taken(kind::reset) == lent);
  CHECK(w.now == waiter_state::waiting);
  CHECK(pool.stats().unready == 1);
  pool.core.reset_done(lent[0], true, pool.now, pool.out);

  CHECK(w.slot == lent[0]);
}

TEST_CASE("a connection that cannot be reset is closed") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  pool.release(lent[0], returned::needs_reset);

  pool.core.reset_done(lent[0], false, pool.now, pool.out);

  CHECK(pool.taken(kind::close) == lent);
  CHECK(pool.stats().closed.unhealthy == 1);
}

TEST_CASE("closing turns away all who wait and all who come; what is lent is closed on return") {
  pool_harness pool(still(0, 3));
  const auto lent = pool.lend(2);
  pool.release(lent[1]);
  const auto idle = lent[1];
  pool_waiter w, late;
  REQUIRE(pool.try_acquire() == idle);
  pool.enqueue(w);
  const auto dial = pool.taken(kind::dial);
  pool.release(idle, returned::broken);
  pool.closed(idle);
  pool.out.clear();

  pool.core.close(pool.now, pool.out);

  CHECK(w.why == pool_refusal::closed);
  CHECK(pool.try_acquire() == no_slot);
  CHECK(pool.enqueue(late) == pool_refusal::closed);
  CHECK_FALSE(pool.core.is_empty());
  pool.release(lent[0]);
  pool.dialed(dial[0]);
  CHECK(pool.taken(kind::close) == ids{lent[0], dial[0]});
  pool.closed(lent[0]);
  pool.closed(dial[0]);
  CHECK(pool.core.is_empty());
  CHECK(pool.core.next_event() == scalekit::time_point::max());
}

TEST_CASE("a thread that waits while it holds one is reported, and its timeout says so") {
  pool_harness pool(still(0, 1));
  pool.fill(1);
  const auto thread = std::this_thread::get_id();
  const pool_user holder{std::source_location::current(), true, thread};
  REQUIRE(pool.core.try_acquire(holder, pool.now) != no_slot);
  pool_waiter w, other;
  w.user = {std::source_location::current(), false, thread};

  pool.enqueue(other);
  CHECK(pool.taken(kind::report_nested).empty());
  pool.enqueue(w, 100ms);
  CHECK(pool.taken(kind::report_nested).size() == 1);
  CHECK(pool.core.describe_nested(w).find("pool_lending_test.cpp") != std::string::npos);
  pool.pass(100ms);

  const auto text = pool.core.describe(w.why, w, pool.now);
  CHECK(text.find("this very thread holds one") != std::string::npos);
}

TEST_CASE("a thread that gave its connection back may wait for another") {
  pool_harness pool(still(0, 1));
  pool.fill(1);
  const pool_user user{std::source_location::current(), true, std::this_thread::get_id()};
  pool.release(pool.core.try_acquire(user, pool.now), returned::broken);
  pool_waiter w;
  w.user = user;

  pool.enqueue(w);

  CHECK(pool.taken(kind::report_nested).empty());
}

TEST_CASE("a timeout explains itself: counts, limits, the oldest holder, the last failed dial") {
  pool_harness pool(still(0, 3), 50);
  pool.fill(1);
  pool.core.try_acquire({std::source_location::current(), true}, pool.now);
  pool_waiter first, second;
  pool.now += 300ms;
  pool.enqueue(first, 200ms);
  pool.dial_failed(pool.taken(kind::dial)[0]);
  pool.enqueue(second, 10s);

  pool.pass(200ms);

  REQUIRE(first.why == pool_refusal::timeout);
  const auto text = pool.core.describe(first.why, first, pool.now);
  CAPTURE(text);
  for (const char* part :
       {"no connection to db.example:5432 came free within 200 ms", "1 busy, 0 idle",
        "of at most 3", "1 more waiting of at most 50",
        "the oldest holder is pool_lending_test.cpp", "(a transaction), since 500 ms",
        "the last dial failed: connection refused"}) {
    CAPTURE(part);
    CHECK(text.find(part) != std::string::npos);
  }
}

namespace {

pool_waiter reader() {
  pool_waiter w;
  w.user.reads = true;
  return w;
}

slot_id read(pool_harness& pool) {
  return pool.core.try_acquire({.site = std::source_location::current(), .reads = true}, pool.now);
}

}  // namespace

TEST_CASE("reads leave the last tenth of a pool, one at least, to those that write") {
  pool_harness pool(still(0, 20));
  pool.fill(20);
  pool.release(pool.try_acquire());

  std::size_t reads = 0;
  while (read(pool) != no_slot) ++reads;
  auto waiting = reader();
  pool.enqueue(waiting);
  const auto first = pool.try_acquire();
  const auto second = pool.try_acquire();

  CHECK(reads == 18);
  CHECK(waiting.now == waiter_state::waiting);
  CHECK(first != no_slot);
  CHECK(second != no_slot);
  CHECK(pool.try_acquire() == no_slot);
}

TEST_CASE("a write passes the reads that leave room, and they keep their order") {
  pool_harness pool(still(0, 2));
  pool.fill(2);
  const auto written = pool.try_acquire();
  const auto being_read = read(pool);
  auto first = reader();
  auto second = reader();
  pool_waiter write;
  pool.enqueue(first);
  pool.enqueue(second);
  pool.enqueue(write);

  pool.release(written);
  const bool passed = write.now == waiter_state::granted;
  pool.release(being_read);

  CHECK(passed);
  CHECK(first.now == waiter_state::granted);
  CHECK(second.now == waiter_state::waiting);
}

TEST_CASE("a pool that nobody writes through is all the reads'") {
  pool_harness pool(still(0, 2));
  pool.fill(2);
  pool.release(pool.try_acquire());
  REQUIRE(read(pool) != no_slot);
  auto waiting = reader();
  pool.enqueue(waiting);

  pool.pass(9s);
  const bool waited = waiting.now == waiter_state::waiting;
  pool.pass(2s);

  CHECK(waited);
  CHECK(waiting.now == waiter_state::granted);
}

TEST_CASE("the only connection is for reads as well") {
  pool_harness pool(still(0, 1));
  pool.fill(1);
  pool.release(pool.try_acquire());

  CHECK(read(pool) != no_slot);
}
