#include "slow/scope_table.hpp"

#include <doctest/doctest.h>

#include <bit>

using namespace scalekit;
using namespace scalekit::slow;
using namespace std::chrono_literals;

namespace {
const time_point start{1h};
}

TEST_CASE("a group counts its calls and its different binds") {
  scope_table table(10s);

  table.count(1, 7, start);
  table.count(1, 7, start);
  auto group = table.count(1, 8, start);

  CHECK(group.calls == 3);
  CHECK(std::popcount(group.bind_bits) == 2);
  CHECK(table.count(2, 0, start).bind_bits == 0);
}

TEST_CASE("a group that was idle for longer than the window begins anew") {
  scope_table table(10s);
  table.count(1, 7, start);

  CHECK(table.count(1, 0, start + 10s).calls == 2);
  CHECK(table.count(1, 0, start + 20s + 1ns).calls == 1);
}

TEST_CASE("the idlest group of a full set gives way") {
  scope_table table(10s);
  // Keys that differ by 1024 share a set of four.
  auto key = [](std::uint64_t i) { return 1 + 1024 * i; };
  for (std::uint64_t i = 0; i < 4; ++i) table.count(key(i), 0, start + std::chrono::seconds(i));
  table.count(key(0), 0, start + 5s);

  table.count(key(4), 0, start + 6s);

  CHECK(table.count(key(0), 0, start + 6s).calls == 3);
  CHECK(table.count(key(2), 0, start + 6s).calls == 2);
  CHECK(table.count(key(1), 0, start + 6s).calls == 1);
}
