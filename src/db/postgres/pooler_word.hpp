#pragma once

#include "db/postgres/pq.hpp"

namespace scalekit::db::postgres {

/// A pooler's own word, with which it ends the session: it has lost the server, or found none. It
/// says how severe that is in one language, where a server says it in two, and means the session
/// only if it is fatal.
inline bool is_end_by_pooler(const PGresult* r) noexcept {
  const auto severity = field_of(r, PG_DIAG_SEVERITY_NONLOCALIZED);
  return field_of(r, PG_DIAG_SQLSTATE).starts_with("08") &&
         (severity.empty() || severity == "FATAL");
}

/// ... of PgBouncer, while the session waited for a server: none has heard of what comes next.
inline bool is_before_any_server(const PGresult* r) noexcept {
  if (!is_end_by_pooler(r) || !field_of(r, PG_DIAG_SEVERITY_NONLOCALIZED).empty()) return false;
  const auto said = field_of(r, PG_DIAG_MESSAGE_PRIMARY);
  return said.starts_with("query_wait_timeout") || said.starts_with("server login") ||
         said.starts_with("pgbouncer cannot connect to server");
}

}  // namespace scalekit::db::postgres
