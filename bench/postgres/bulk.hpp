#pragma once

#include "support/postgres/server.hpp"

#include <memory>

namespace bench::postgres {

/// Many rows at once: a million of (int, text, timestamptz) go into an empty table.
class bulk_load {
 public:
  /// Rows a second by client::insert_many, from memory.
  double insert_many();
  /// Rows a second by psql's \copy from a file of CSV that lies in the page cache.
  double psql_copy();

  /// Reads ten million rows one by one; by how much the memory of this process has grown at its
  /// peak, in MiB.
  double stream_growth();

 private:
  support::postgres::server& running();
  void empty_table();

  std::unique_ptr<support::postgres::server> running_;
};

}  // namespace bench::postgres
