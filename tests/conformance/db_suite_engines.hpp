#pragma once

// What each engine calls things, however a test's program gets at it.

#include "conformance/db_suite_fixture.hpp"

#include <string>

namespace db_suite {

struct sqlite_database : database {
  std::string bytes_type() const final { return "blob"; }
  std::string numbered_key() const final { return "integer primary key"; }
  std::string endless_read() const final {
    return "with recursive n(i) as (select 1 union all select i + 1 from n)"
           " select count(*) from n";
  }
};

struct postgres_database : database {
  std::string bytes_type() const final { return "bytea"; }
  std::string numbered_key() const final { return "bigint primary key"; }
  std::string endless_read() const final { return endless; }

  /// Row after row: as a function in FROM it would write them all to a file first.
  static constexpr const char* endless =
      "select count(*) from (select generate_series(1, 1000000000)) a";
};

}  // namespace db_suite
