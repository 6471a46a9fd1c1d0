// What becomes due while connections idle or are lent, and orders from above.

#include "pool_harness.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace scalekit::db::test;
using scalekit::time_point;
using ids = std::vector<slot_id>;

TEST_CASE("unused connections above min are closed, the longest unused first") {
  auto params = still(1, 5);
  params.idle_timeout = 60s;
  pool_harness pool(params);
  const auto all = pool.fill(3);
  pool.now += 30s;
  const auto last = pool.try_acquire();
  REQUIRE(last == all[2]);
  pool.release(last);

  pool.pass(32s);
  CHECK(pool.taken(kind::close) == ids{all[0], all[1]});
  for (auto id : ids{all[0], all[1]}) pool.closed(id);
  const int ticks = pool.pass(24h);

  CHECK(pool.taken(kind::close).empty());
  CHECK(pool.stats().idle == 1);
  CHECK(pool.stats().closed.idle == 2);
  CHECK(ticks <= 2);
}

TEST_CASE("a pool in which nothing can become due asks for no tick") {
  auto params = still(0, 5);
  pool_harness pool(params);
  pool.fill(3);

  CHECK(pool.core.next_event() == time_point::max());
}

TEST_CASE("calls that come and go cost one tick in a while, not one each") {
  auto params = still(0, 5);
  params.idle_timeout = 5min;
  params.health_check_interval = 30s;
  params.leak_after = 60s;
  pool_harness pool(params);
  pool.fill(1);

  int ticks = 0;
  for (int i = 0; i < 60'000; ++i) {
    const auto id = pool.try_acquire();
    ticks += pool.pass(5ms);
    pool.release(id);
    ticks += pool.pass(5ms);
  }

  CHECK(ticks <= 25);  // In ten minutes.
}

TEST_CASE("what idles for long is asked for a sign of life, half of it at a time") {
  auto params = still(0, 5);
  params.health_check_interval = 30s;
  pool_harness pool(params);
  const auto all = pool.fill(4);

  pool.pass(29s);
  CHECK(pool.out.empty());
  pool.pass(1s);
  const auto asked = pool.taken(kind::check);
  CHECK(asked == ids{all[0], all[1]});
  CHECK(pool.stats().idle == 2);

  pool.core.checked(asked[0], true, pool.now, pool.out);
  pool.core.checked(asked[1], false, pool.now, pool.out);
  CHECK(pool.taken(kind::close) == ids{asked[1]});
  CHECK(pool.stats().closed.unhealthy == 1);
  CHECK(pool.stats().idle == 3);
  pool.pass(2s);
  CHECK(pool.taken(kind::check) == ids{all[2], all[3]});
}

TEST_CASE("a check is no use: it changes neither the order nor the idle time") {
  auto params = still(0, 5);
  params.health_check_interval = 30s;
  params.idle_timeout = 45s;
  pool_harness pool(params);
  const auto all = pool.fill(2);
  pool.pass(30s);
  REQUIRE(pool.taken(kind::check) == ids{all[0]});

  pool.core.checked(all[0], true, pool.now, pool.out);

  const auto first = pool.try_acquire();
  CHECK(first == all[1]);
  pool.release(first);
  pool.pass(16s);
  CHECK(pool.taken(kind::close) == ids{all[0]});
}

TEST_CASE("a checked connection goes to who waits meanwhile") {
  auto params = still(0, 1);
  params.health_check_interval = 30s;
  pool_harness pool(params);
  const auto all = pool.fill(1);
  pool.pass(30s);
  REQUIRE(pool.taken(kind::check) == all);
  pool_waiter w;
  pool.enqueue(w);

  pool.core.checked(all[0], true, pool.now, pool.out);

  CHECK(w.slot == all[0]);
}

TEST_CASE("connections opened together end apart, each at half of max_lifetime or later") {
  auto params = still(0, 20);
  params.max_lifetime = 60min;
  params.max_dials = 20;
  pool_harness pool(params);
  pool.fill(20);
  const auto born = pool.now;

  std::vector<time_point> ends;
  while (pool.core.next_event() != time_point::max() && ends.size() < 20) {
    pool.pass(pool.core.next_event() - pool.now);
    for (auto id : pool.taken(kind::close)) {
      ends.push_back(pool.now);
      pool.closed(id);
    }
    for (auto id : pool.taken(kind::dial)) pool.dial_failed(id);
  }

  REQUIRE(ends.size() == 20);
  CHECK(ends.front() - born >= 28min);
  CHECK(ends.back() - born <= 61min);
  CHECK(ends.back() - ends.front() >= 10min);
}

TEST_CASE("a needed connection is replaced before it expires, one at a time") {
  auto params = still(2, 4);
  params.max_lifetime = 60min;
  pool_harness pool(params);
  const auto old = pool.fill(2);
  const auto born = pool.now;

  while (pool.out.empty()) pool.pass(10s);
  const auto dial = pool.taken(kind::dial);
  REQUIRE(dial.size() == 1);
  CHECK(pool.now - born >= 28min);
  CHECK(pool.stats().idle == 2);
  pool.dialed(dial[0]);

  CHECK(pool.taken(kind::close).size() == 1);
  CHECK(pool.stats().idle == 2);
  CHECK(pool.stats().closed.expired == 1);
}

TEST_CASE("a lent connection whose successor arrived is closed on return") {
  auto params = still(1, 2);
  params.max_lifetime = 60min;
  pool_harness pool(params);
  const auto lent = pool.lend(1);
  while (pool.out.empty()) pool.pass(10s);
  const auto dial = pool.taken(kind::dial);
  REQUIRE(dial.size() == 1);
  pool.dialed(dial[0]);
  CHECK(pool.taken(kind::close).empty());

  pool.release(lent[0]);

  CHECK(pool.taken(kind::close) == lent);
  CHECK(pool.try_acquire() == dial[0]);
}

TEST_CASE("the only connection in use is replaced in time, also above min") {
  auto params = still(0, 2);
  params.max_lifetime = 60min;
  pool_harness pool(params);
  pool.lend(1);

  pool.pass(58min);

  CHECK(pool.taken(kind::dial).size() == 1);
}

TEST_CASE("without room for a successor an expired connection is closed on return all the same") {
  auto params = still(1, 1);
  params.max_lifetime = 60min;
  pool_harness pool(params);
  const auto lent = pool.lend(1);
  pool_waiter w;
  pool.enqueue(w, 2h);
  const int ticks = pool.pass(61min);
  CHECK(ticks <= 30);
  CHECK(pool.taken(kind::dial).empty());

  pool.release(lent[0]);
  CHECK(pool.taken(kind::close) == lent);
  pool.closed(lent[0]);
  pool.dialed(pool.taken(kind::dial)[0]);

  CHECK(w.now == pool_waiter::state::granted);
}

TEST_CASE("a spare connection that expires gets no successor") {
  auto params = still(1, 4);
  params.max_lifetime = 60min;
  pool_harness pool(params);
  pool.fill(3);

  while (pool.taken(kind::close).empty()) {
    pool.pass(10s);
    CHECK(pool.stats().dialing == 0);
  }

  CHECK(pool.stats().idle == 2);
}

TEST_CASE("who keeps a connection too long is reported once, with its place") {
  auto params = still(0, 2);
  params.leak_after = 60s;
  pool_harness pool(params);
  pool.fill(2);
  const auto first = pool.core.try_acquire({std::source_location::current(), true}, pool.now);
  pool.pass(30s);
  const auto second = pool.try_acquire();

  pool.pass(29s);
  CHECK(pool.out.empty());
  pool.pass(2s);
  CHECK(pool.taken(kind::report_leak) == ids{first});
  const auto text = pool.core.describe_leak(first, pool.now);
  CHECK(text.find("pool_upkeep_test.cpp") != std::string::npos);
  CHECK(text.find("(a transaction) has held a connection to db.example:5432 for 61000 ms") !=
        std::string::npos);
  pool.pass(1h);

  CHECK(pool.taken(kind::report_leak) == ids{second});
  CHECK(pool.stats().leaks_reported == 2);
}

TEST_CASE("lower limits close idle connections at once and lent ones on return") {
  pool_harness pool(still(0, 4));
  const auto lent = pool.lend(4);
  pool.release(lent[0]);
  pool.release(lent[1]);

  pool.core.set_limits(0, 1, "fleet: 2 connections among 2 clients", pool.now, pool.out);
  CHECK(pool.taken(kind::close) == ids{lent[0], lent[1]});
  CHECK(pool.core.last_change().text == "limited 4 -> 1: fleet: 2 connections among 2 clients");
  pool.release(lent[2]);
  CHECK(pool.taken(kind::close) == ids{lent[2]});
  pool.release(lent[3]);

  CHECK(pool.out.empty());
  CHECK(pool.stats().idle == 1);
  CHECK(pool.stats().limit == 1);
  CHECK(pool.stats().limit_reason == "fleet: 2 connections among 2 clients");
  CHECK(pool.stats().closed.surplus == 3);
}

TEST_CASE("a lower min lets idle connections go that were kept for it") {
  auto params = still(3, 4);
  params.idle_timeout = 60s;
  pool_harness pool(params);
  pool.fill(3);
  pool.pass(1h);
  REQUIRE(pool.stats().idle == 3);

  pool.core.set_limits(1, 4, "settings", pool.now, pool.out);
  pool.pass(2s);

  CHECK(pool.stats().idle == 1);
}

TEST_CASE("higher limits serve who waits") {
  pool_harness pool(still(0, 4));
  pool.core.set_limits(0, 1, "fleet", pool.now, pool.out);
  pool.lend(1);
  pool_waiter w;
  pool.enqueue(w);
  CHECK(pool.taken(kind::dial).empty());

  pool.core.set_limits(0, 9, "fleet", pool.now, pool.out);

  CHECK(pool.taken(kind::dial).size() == 1);
  CHECK(pool.stats().limit == 4);
}

TEST_CASE("who waits too long under a lower limit hears why it is lower") {
  pool_harness pool(still(0, 4));
  pool.core.set_limits(0, 1, "fleet: 2 connections among 2 clients", pool.now, pool.out);
  pool.lend(1);
  pool_waiter w;
  pool.enqueue(w, 1s);

  const auto limited = pool.core.describe(pool_refusal::timeout, w, pool.now);
  pool.core.set_limits(0, 4, "", pool.now, pool.out);
  const auto free = pool.core.describe(pool_refusal::timeout, w, pool.now);

  CHECK(limited.find("of at most 1 (fleet: 2 connections among 2 clients);") != std::string::npos);
  CHECK(free.find("of at most 4;") != std::string::npos);
  CHECK(pool.core.last_change().text == "raised 1 -> 4: the settings' own limits");
  CHECK(pool.stats().limit_reason == "");
}

TEST_CASE(
    "an eviction closes idle connections at once, lent ones on return, dialed ones on arrival") {
  pool_harness pool(still(0, 4));
  const auto lent = pool.lend(2);
  pool.release(lent[1]);
  REQUIRE(pool.try_acquire() == lent[1]);
  std::array<pool_waiter, 2> w;
  pool.enqueue(w[0]);
  const auto early = pool.taken(kind::dial);
  pool.release(lent[1]);  // Serves w[0]; the dial goes on.
  REQUIRE(w[0].slot == lent[1]);
  pool.release(lent[1]);
  pool.out.clear();

  pool.core.evict_all(1, pool.now, pool.out);
  CHECK(pool.taken(kind::close) == ids{lent[1]});
  pool.enqueue(w[1]);
  pool.dialed(early[0]);
  CHECK(pool.taken(kind::close) == early);
  pool.release(lent[0]);
  CHECK(pool.taken(kind::close) == ids{lent[0]});
  CHECK(w[1].now == pool_waiter::state::waiting);
  const auto fresh = pool.taken(kind::dial);
  REQUIRE(fresh.size() == 1);
  pool.dialed(fresh[0]);

  CHECK(w[1].slot == fresh[0]);
  CHECK(pool.stats().closed.evicted == 3);

  pool.release(fresh[0]);
  pool.core.evict_all(1, pool.now, pool.out);
  pool.core.evict_all(0, pool.now, pool.out);
  CHECK(pool.stats().idle == 1);
}

TEST_CASE("an eviction turns away who waits: a fresh connection leads to the same server") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  std::array<pool_waiter, 2> w;
  for (auto& each : w) pool.enqueue(each);

  pool.core.evict_all(1, pool.now, pool.out);

  for (auto& each : w) {
    CHECK(each.now == pool_waiter::state::refused);
    CHECK(each.why == pool_refusal::evicted);
  }
  CHECK(pool.core.describe(pool_refusal::evicted, w[0], pool.now).find("taken over") !=
        std::string::npos);
  CHECK(pool.stats().waiting == 0);
  CHECK(pool.stats().unreachable == 2);
  pool.release(lent[0]);
  CHECK(pool.taken(kind::close) == lent);
  CHECK(pool.taken(kind::dial).empty());
}

TEST_CASE("a connection to the wrong server takes with it all that were opened before, once") {
  pool_harness pool(still(0, 4));
  const auto lent = pool.lend(3);
  pool.release(lent[0]);

  pool.release(lent[1], returned::outdated);
  CHECK(pool.taken(kind::close) == ids{lent[0], lent[1]});
  for (auto id : ids{lent[0], lent[1]}) pool.closed(id);
  pool_waiter w;
  pool.enqueue(w);
  const auto fresh = pool.taken(kind::dial);
  REQUIRE(fresh.size() == 1);
  pool.dialed(fresh[0]);
  REQUIRE(w.slot == fresh[0]);
  pool.release(fresh[0]);
  pool.release(lent[2], returned::outdated);

  CHECK(pool.taken(kind::close) == ids{lent[2]});
  CHECK(pool.stats().idle == 1);
  CHECK(pool.stats().closed.evicted == 3);
}

TEST_CASE("who waits is served anew where a connection to the wrong server comes back") {
  pool_harness pool(still(0, 1));
  const auto lent = pool.lend(1);
  pool_waiter w;
  pool.enqueue(w);

  pool.release(lent[0], returned::outdated);
  REQUIRE(pool.taken(kind::close) == lent);
  pool.closed(lent[0]);
  const auto fresh = pool.taken(kind::dial);
  REQUIRE(fresh.size() == 1);
  pool.dialed(fresh[0]);

  CHECK(w.slot == fresh[0]);
}
