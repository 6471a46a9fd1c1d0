#include "db/postgres/script.hpp"

#include "db/postgres/next_result.hpp"
#include "db/postgres/reply.hpp"

#include <string>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

wait_end run_script(connection& c, std::string_view script, const std::source_location& site,
                    time_point until) {
  if (script.find('\0') != std::string_view::npos) {
    throw error(errc::invalid_statement, "the script contains a NUL");
  }
  // Only the simple protocol takes several statements, and pipelines do not take that.
  const link::outside_pipeline plain(*c.wire);
  auto* conn = plain.connection();
  std::vector<exchange_ptr> none;
  if (PQsendQuery(conn, std::string(script).c_str()) != 1) throw_lost(c, conn, site);
  exchange failed;
  for (;;) {
    auto [why, lost, result] = next_result(conn, c.bell.get(), until);
    if (lost) throw_lost(c, conn, site);
    if (why != wait_end::ready) {
      c.wire->break_off("the script was stopped", none);
      return why;
    }
    if (!result) break;
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
      c.wire->break_off("COPY in a script", none);
      throw error(errc::not_allowed, "COPY cannot be part of a script");
    }
    if (status == PGRES_FATAL_ERROR && !failed.result) {
      failed.end = exchange::ending::failed;
      failed.result = std::move(result);
    }
  }
  if (failed.result) throw error_of(failed, site, c.wire->origin(), false);
  return wait_end::ready;
}

}  // namespace scalekit::db::postgres
