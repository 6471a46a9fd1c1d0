#include "db/postgres/next_result.hpp"

#include <utility>

namespace scalekit::db::postgres {
namespace {

/// libpq made it up itself: the server has said nothing.
bool is_of_server(const PGresult* r) noexcept {
  return PQresultStatus(r) != PGRES_FATAL_ERROR ||
         PQresultErrorField(r, PG_DIAG_SQLSTATE) != nullptr;
}

}  // namespace

awaited_result next_result(PGconn* conn, int bell, time_point until) {
  for (;;) {
    // What cannot be sent any more (-1) never can: what the server said of it is still to be read.
    const bool flushed = PQflush(conn) <= 0;
    if (flushed && PQisBusy(conn) == 0) break;
    const auto why = wait_for(PQsocket(conn), !flushed, bell, until);
    if (why != wait_end::ready) return {.why = why, .lost = false, .result = nullptr};
    if (PQconsumeInput(conn) != 1) return {.why = why, .lost = true, .result = nullptr};
  }
  result_ptr result(PQgetResult(conn));
  if (PQstatus(conn) == CONNECTION_BAD && (!result || !is_of_server(result.get()))) {
    return {.why = wait_end::ready, .lost = true, .result = nullptr};
  }
  return {.why = wait_end::ready, .lost = false, .result = std::move(result)};
}

}  // namespace scalekit::db::postgres
