#pragma once

#include <libpq-fe.h>

#include <string_view>

namespace scalekit::db::postgres {

/// A pooler's own word, with which it ends the session: it has lost the server, or found none.
/// PgBouncer says how severe that is in one language, where a server says it in two.
inline bool is_word_of_pooler(const PGresult* r) noexcept {
  const char* state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  return state != nullptr && std::string_view(state).starts_with("08") &&
         PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED) == nullptr;
}

/// Such a word, or another's of that class that is fatal. Of a server an error of it may concern
/// the statement alone.
inline bool is_end_by_pooler(const PGresult* r) noexcept {
  if (is_word_of_pooler(r)) return true;
  const char* state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
  const char* severity = PQresultErrorField(r, PG_DIAG_SEVERITY_NONLOCALIZED);
  return state != nullptr && std::string_view(state).starts_with("08") && severity != nullptr &&
         std::string_view(severity) == "FATAL";
}

inline std::string_view word_of(const PGresult* r) noexcept {
  const char* text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
  return text == nullptr ? std::string_view() : text;
}

/// ... of PgBouncer, while the session waited for a server: none has heard of what comes next.
inline bool is_before_any_server(const PGresult* r) noexcept {
  if (!is_word_of_pooler(r)) return false;
  const auto said = word_of(r);
  return said.starts_with("query_wait_timeout") || said.starts_with("server login") ||
         said.starts_with("pgbouncer cannot connect to server");
}

}  // namespace scalekit::db::postgres
