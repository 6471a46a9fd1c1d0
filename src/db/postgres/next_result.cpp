#include "db/postgres/next_result.hpp"

#include "db/postgres/reply.hpp"

#include <chrono>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

awaited_result next_result(PGconn* conn, int bell, time_point until) {
  for (;;) {
    // What cannot be sent any more (-1) never can: what the server said of it is still to be read.
    const bool flushed = PQflush(conn) <= 0;
    if (flushed && PQisBusy(conn) == 0) break;
    // A socket that always has something would never be found late.
    const bool is_late = std::chrono::steady_clock::now() >= until;
    const auto why = is_late ? wait_end::deadline : wait_for(PQsocket(conn), !flushed, bell, until);
    if (why != wait_end::ready) return {.why = why, .lost = false, .result = nullptr};
    if (PQconsumeInput(conn) != 1) return {.why = why, .lost = true, .result = nullptr};
  }
  result_ptr result(PQgetResult(conn));
  if (PQstatus(conn) == CONNECTION_BAD && (!result || is_of_libpq(result.get()))) {
    return {.why = wait_end::ready, .lost = true, .result = nullptr};
  }
  return {.why = wait_end::ready, .lost = false, .result = std::move(result)};
}

void throw_lost(connection& c, PGconn* conn, const std::source_location& site) {
  std::vector<exchange_ptr> none;
  exchange e;
  e.end = exchange::ending::lost;
  e.lost_because = PQerrorMessage(conn);
  c.wire->break_off(e.lost_because, none);
  throw error_of(e, site, c.wire->origin(), false);
}

}  // namespace scalekit::db::postgres
