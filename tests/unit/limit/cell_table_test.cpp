#include "limit/cell_table.hpp"

#include <doctest/doctest.h>

#include <string>

using scalekit::limit::detail::cell_table;
using scalekit::limit::detail::gcra;
using scalekit::limit::detail::key_hash;
using scalekit::limit::detail::nanos;
using origin = cell_table::slot::origin;

namespace {

constexpr gcra rule = {.interval = 10, .tolerance = 100};

/// One set of seven cells: every key meets every other.
struct one_set {
  cell_table table{1};
  std::uint64_t next = 1;

  key_hash fresh_key() { return {next, ++next}; }

  origin charge(key_hash key, nanos now, nanos amount) {
    auto s = table.acquire(key, rule, now);
    table.commit(s, key, gcra::after(s.tat, s.now, amount));
    return s.from;
  }

  nanos tat(key_hash key, nanos now) {
    auto s = table.acquire(key, rule, now);
    table.abandon(s);
    return s.tat;
  }
};

}  // namespace

TEST_CASE(
    "a full set drops the expired first, then the one that spent least, never a limited one") {
  one_set t;
  auto limited = t.fresh_key();
  t.charge(limited, 0, 100);
  auto light = t.fresh_key();
  t.charge(light, 0, 20);
  auto lighter = t.fresh_key();
  t.charge(lighter, 0, 15);
  for (int i = 0; i < 4; ++i) t.charge(t.fresh_key(), 0, 90);

  CHECK(t.charge(t.fresh_key(), 0, 90) == origin::forgotten);
  CHECK(t.tat(light, 0) == 20);
  CHECK(t.charge(t.fresh_key(), 20, 90) == origin::expired);
  CHECK(t.charge(t.fresh_key(), 20, 10) == origin::shared);
  CHECK(t.tat(limited, 20) == 100);
}

TEST_CASE("keys without a cell share one, and owe its debt when they get their own") {
  one_set t;
  for (int i = 0; i < 7; ++i) t.charge(t.fresh_key(), 0, 60);
  auto a = t.fresh_key();
  auto b = t.fresh_key();

  CHECK(t.charge(a, 0, 70) == origin::shared);
  CHECK(t.charge(b, 0, 30) == origin::shared);
  CHECK(t.tat(a, 0) == 100);
  CHECK(t.charge(a, 60, 0) == origin::expired);
  CHECK(t.tat(a, 60) == 100);
}

TEST_CASE("an older time does not bring back a key that was dropped as expired") {
  one_set t;
  auto key = t.fresh_key();
  t.charge(key, 0, 50);
  for (int i = 0; i < 6; ++i) t.charge(t.fresh_key(), 0, 100);
  REQUIRE(t.charge(t.fresh_key(), 50, 1) == origin::expired);

  // Read before the drop, used after it: must not see a full bucket at time 40.
  auto s = t.table.acquire(key, rule, 40);
  CHECK(s.now == 50);
  t.table.abandon(s);
}

TEST_CASE("an abandoned cell is as it was, and a locked one is left to the locked way") {
  one_set t;
  auto key = t.fresh_key();
  t.charge(key, 0, 50);

  auto held = t.table.acquire(key, rule, 0);
  CHECK_FALSE(t.table.try_charge(key, rule, 0, 10).has_value());
  t.table.abandon(held);

  auto charged = t.table.try_charge(key, rule, 0, 50);
  auto denied = t.table.try_charge(key, rule, 0, 1);
  REQUIRE(charged.has_value());
  CHECK(charged->charged);
  REQUIRE(denied.has_value());
  CHECK_FALSE(denied->charged);
  CHECK(denied->tat == 100);
}
