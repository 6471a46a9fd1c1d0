#include "db/postgres/name_lookup.hpp"

#include <doctest/doctest.h>

using scalekit::db::postgres::name_lookup;

TEST_CASE("a name takes a resolver; an address, a path and nothing at all do not") {
  for (const char* name : {"db.example", "localhost", "shop", "10.0.0.1.example", "300.0.0.1"}) {
    CAPTURE(name);
    CHECK(name_lookup::is_name(name));
  }
  for (const char* place : {"", "10.0.0.1", "::1", "fe80::1", "/run/postgresql", "@abstract"}) {
    CAPTURE(place);
    CHECK_FALSE(name_lookup::is_name(place));
  }
}
