#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

struct pq_deleter {
  void operator()(PGconn* c) const noexcept { PQfinish(c); }
  void operator()(PGresult* r) const noexcept { PQclear(r); }
};

using connection_ptr = std::unique_ptr<PGconn, pq_deleter>;
using result_ptr = std::unique_ptr<PGresult, pq_deleter>;

/// Settings of a connection by libpq's names. Of one that comes twice the last counts, unless it is
/// empty.
using keyword_list = std::vector<std::pair<std::string, std::string>>;

/// Begins to connect, without waiting where no name has to be resolved. Null: no memory.
inline connection_ptr start_connection(const keyword_list& settings) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return connection_ptr(PQconnectStartParams(keywords.data(), values.data(), 0));
}

/// libpq's own words for what failed last, which name host and port and never the password.
inline std::string error_text(const PGconn* conn) {
  std::string text(PQerrorMessage(conn));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

/// What an error says in one of its fields, in place; empty where it has none.
inline std::string_view field_of(const PGresult* r, int field) noexcept {
  const char* text = PQresultErrorField(r, field);
  return text == nullptr ? std::string_view() : text;
}

/// An error that libpq made up itself: the connection is gone, or of no use any more. What the
/// server has done is not known.
inline bool is_of_libpq(const PGresult* r) noexcept {
  return PQresultStatus(r) == PGRES_FATAL_ERROR && field_of(r, PG_DIAG_SQLSTATE).empty();
}

}  // namespace scalekit::db::postgres
