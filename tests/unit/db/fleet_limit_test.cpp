#include "db/pool/fleet_limit.hpp"

#include <doctest/doctest.h>

#include <vector>

using scalekit::db::detail::fleet_facts;
using scalekit::db::detail::share_of_fleet;

TEST_CASE("each client of a fleet gets an equal share of what the server gives out") {
  struct row {
    fleet_facts facts;
    std::size_t beside, own_min, own_max;
    std::size_t min, max;
  };
  const std::vector<row> rows{
      // Room for all: the own limits.
      {{100, 3, 1}, 0, 5, 20, 5, 20},
      {{100, 3, 4}, 0, 5, 20, 5, 20},
      // 97 less one in twenty: 93.
      {{100, 3, 5}, 0, 5, 20, 5, 18},
      {{100, 3, 31}, 0, 5, 20, 3, 3},
      // What a client has beside its pool comes out of its share.
      {{100, 3, 5}, 1, 5, 20, 5, 17},
      {{100, 3, 31}, 2, 5, 20, 1, 1},
      // 17 less two.
      {{20, 3, 4}, 1, 0, 20, 0, 2},
      // Limits of the role and the database count where they leave less.
      {{100, 3, 5, {40, 4}}, 0, 5, 20, 5, 9},
      {{100, 3, 5, {1000, 5}}, 0, 5, 20, 5, 18},
      {{100, 3, 5, {}, {40, 4}}, 0, 5, 20, 5, 9},
      {{100, 3, 20, {40, 1}}, 0, 5, 20, 4, 4},
      // Nobody is left without any.
      {{100, 3, 5000}, 1, 5, 20, 1, 1},
      {{100, 3, 2, {0, 2}}, 1, 0, 20, 0, 1},
      {{3, 10, 1}, 0, 5, 20, 1, 1},
      // An unknown number of clients is one.
      {{100, 3, 0}, 0, 5, 200, 5, 93},
  };

  for (const auto& r : rows) {
    CAPTURE(r.facts.clients);
    CAPTURE(r.facts.role.connections);
    CAPTURE(r.facts.database.connections);
    CAPTURE(r.beside);
    const auto limit = share_of_fleet(r.facts, r.beside, r.own_min, r.own_max);
    CHECK(limit.min == r.min);
    CHECK(limit.max == r.max);
    CHECK(limit.why.empty() == (limit.max == r.own_max));
  }
}

TEST_CASE("a share says where it comes from") {
  const auto why = [](const fleet_facts& facts) { return share_of_fleet(facts, 1, 5, 20).why; };

  CHECK(why({100, 3, 5}) == "fleet: 93 connections among 5 clients");
  CHECK(why({100, 3, 5, {12, 1}}) == "fleet: 10 connections of the role among 1 client");
  CHECK(why({100, 3, 5, {}, {12, 2}}) == "fleet: 10 connections of the database among 2 clients");
}
