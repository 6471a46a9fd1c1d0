#include "db/pool/fleet_budget.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <vector>

using scalekit::db::detail::fleet_budget;
using scalekit::db::detail::fleet_facts;

namespace {

/// Of a server that gives out 97 connections, 93 of them to the fleet.
fleet_facts among(std::size_t clients) {
  return {.max_connections = 100, .reserved = 3, .clients = clients};
}

}  // namespace

TEST_CASE("shares fall at once and rise when they have stood") {
  struct look {
    std::size_t clients;
    std::size_t max;
  };
  struct row {
    const char* situation;
    std::vector<look> looks;
  };
  const std::vector<row> rows{
      {"alone from the start", {{1, 50}, {1, 50}}},
      {"joins others", {{4, 1}, {4, 1}, {4, 22}, {4, 22}}},
      {"joins while others do", {{3, 1}, {3, 1}, {4, 1}, {4, 1}, {4, 22}}},
      {"one joins", {{1, 50}, {2, 45}, {3, 30}}},
      {"one leaves", {{1, 50}, {2, 45}, {1, 45}, {1, 45}, {1, 50}}},
      {"one leaves and another joins", {{1, 50}, {2, 45}, {1, 45}, {1, 45}, {2, 45}, {1, 45}}},
      {"one more joins while the share is to rise",
       {{1, 50}, {3, 30}, {2, 30}, {2, 30}, {4, 22}, {2, 22}, {2, 22}, {2, 45}}},
      {"one is missed for a moment", {{1, 50}, {2, 45}, {1, 45}, {2, 45}, {1, 45}, {1, 45}}},
  };

  for (const auto& r : rows) {
    CAPTURE(r.situation);
    fleet_budget budget(1, 5, 50);
    for (std::size_t i = 0; i < r.looks.size(); ++i) {
      CAPTURE(i);
      const auto before = budget.limit();
      const bool changed = budget.heard(among(r.looks[i].clients));
      CHECK(budget.limit().max == r.looks[i].max);
      CHECK(changed == (budget.limit() != before));
    }
  }
}

TEST_CASE("before the first look there is one connection, and its reason") {
  const fleet_budget budget(1, 5, 50);

  CHECK(budget.limit().min == 1);
  CHECK(budget.limit().max == 1);
  CHECK(budget.limit().why == "fleet: not counted yet");
  CHECK_FALSE(budget.is_counted());
}

TEST_CASE("the reason is told anew where the share is the same") {
  fleet_budget budget(0, 0, 50);
  budget.heard(among(1));
  REQUIRE(budget.heard(among(30)));
  REQUIRE(budget.limit().max == 3);

  CHECK(budget.heard(among(31)));

  CHECK(budget.limit().max == 3);
  CHECK(budget.limit().why == "fleet: 93 connections among 31 clients");
}

TEST_CASE("where nobody can be counted the own limits hold, and say why") {
  fleet_budget budget(1, 5, 50);

  CHECK(budget.give_up("a pooler stands before it"));
  CHECK_FALSE(budget.give_up("a pooler stands before it"));

  CHECK(budget.limit().min == 5);
  CHECK(budget.limit().max == 50);
  CHECK(budget.limit().why == "fleet: no budget, a pooler stands before it");
  CHECK(budget.heard(among(4)));
  CHECK(budget.limit().max == 22);
}
