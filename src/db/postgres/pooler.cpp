#include "db/postgres/pooler.hpp"

#include "db/postgres/next_result.hpp"
#include "db/postgres/stop_bell.hpp"

#include <string>

namespace scalekit::db::postgres {

std::optional<bool> ask_for_pooler(dialed& made, time_point until, const std::stop_token& stop) {
  auto* conn = made.connection.get();
  const wake_descriptor woken;
  const stop_bell bell(woken, {&stop, nullptr, nullptr});
  std::optional<bool> found;
  awaited_result next;
  if (PQsetnonblocking(conn, 1) == 0 && PQsendQuery(conn, "select pg_backend_pid()") == 1) {
    for (;;) {
      next = next_result(conn, woken.get(), until);
      if (next.lost || next.why != wait_end::ready) break;
      if (!next.result && found) return found;
      // An error, of a server that goes down for instance, tells nothing.
      if (!next.result || PQntuples(next.result.get()) != 1) break;
      found = PQgetvalue(next.result.get(), 0, 0) != std::to_string(PQbackendPID(conn));
    }
  }
  const bool is_late = next.why == wait_end::deadline;
  made.failure =
      "asked for its process, to see whether a pooler stands before it (as long as "
      "transaction_pooler is not set): " +
      (is_late ? std::string("no answer in time") : error_text(conn));
  made.given_up = next.why == wait_end::stopped;
  made.connection.reset();
  return std::nullopt;
}

}  // namespace scalekit::db::postgres
