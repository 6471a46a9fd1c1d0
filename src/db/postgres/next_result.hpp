#pragma once

#include "db/postgres/connection.hpp"
#include "db/postgres/drive.hpp"
#include "db/postgres/pq.hpp"
#include "scalekit/core/clock.hpp"

#include <source_location>

// Driving a connection outside pipeline mode on the calling thread, with poll(2).

namespace scalekit::db::postgres {

struct awaited_result {
  /// Else it was interrupted: what was under way still is.
  wait_end why = wait_end::ready;
  /// The connection is gone; PQerrorMessage() says more.
  bool lost = false;
  /// Null at the end of what was sent, and where there is none for a reason above.
  result_ptr result;
};

/// Writes what waits to be written, and waits for the next result. `bell` may be -1.
awaited_result next_result(PGconn* conn, int bell, time_point until);

/// Breaks off what is under way on `c`, whose connection `conn` is gone, and throws that.
[[noreturn]] void throw_lost(connection& c, PGconn* conn, const std::source_location& site);

}  // namespace scalekit::db::postgres
