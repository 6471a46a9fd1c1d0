#include "db/pool/fleet_limit.hpp"

#include <doctest/doctest.h>

#include <vector>

using scalekit::db::detail::fleet_facts;
using scalekit::db::detail::share_of_fleet;

TEST_CASE("each process of a fleet gets an equal share of what the server gives out") {
  struct row {
    fleet_facts facts;
    std::size_t own_min, own_max;
    std::size_t min, max;
  };
  const std::vector<row> rows{
      // Room for all: the own limits.
      {{100, 3, -1, 1}, 5, 20, 5, 20},
      {{100, 3, -1, 4}, 5, 20, 5, 20},
      // 97 less one in twenty: 93.
      {{100, 3, -1, 5}, 5, 20, 5, 18},
      {{100, 3, -1, 31}, 5, 20, 3, 3},
      // The role's limit counts where it is lower.
      {{100, 3, 40, 4}, 5, 20, 5, 9},
      {{100, 3, 1000, 5}, 5, 20, 5, 18},
      // Nobody is left without any.
      {{100, 3, -1, 5000}, 5, 20, 1, 1},
      {{100, 3, 0, 2}, 0, 20, 0, 1},
      {{3, 10, -1, 1}, 5, 20, 1, 1},
      // An unknown number of processes is one.
      {{100, 3, -1, 0}, 5, 200, 5, 93},
  };

  for (const auto& r : rows) {
    CAPTURE(r.facts.instances);
    CAPTURE(r.facts.role_limit);
    const auto limit = share_of_fleet(r.facts, r.own_min, r.own_max);
    CHECK(limit.min == r.min);
    CHECK(limit.max == r.max);
    CHECK(limit.why.empty() == (limit.max == r.own_max));
  }
}

TEST_CASE("a share says where it comes from") {
  CHECK(share_of_fleet({100, 3, -1, 5}, 5, 20).why == "fleet: 93 connections among 5 processes");
}
