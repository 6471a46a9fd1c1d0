#include "db/postgres/evidence.hpp"

#include <initializer_list>
#include <string_view>

namespace scalekit::db::postgres {

using detail::access;
using detail::host_error;

namespace {

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (text.find(word) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

std::optional<host_error> evidence_of(const error& e, access kind) {
  const auto& state = e.diag().backend_code;
  if (state == "57P02" || state == "57P03") return host_error::shutting_down;
  if (e.code() == errc::read_only && kind == access::write) return host_error::read_only;
  if (e.code() == errc::connection_lost) return host_error::lost;
  // In doubt for the lack of time alone, nothing is known.
  const bool is_cut = e.code() == errc::commit_in_doubt && !e.diag().server_message.empty();
  return is_cut ? std::optional(host_error::lost) : std::nullopt;
}

std::optional<host_error> evidence_of(const dialed& attempt) {
  if (attempt.connection || attempt.hopeless || attempt.given_up || attempt.unasked) {
    return std::nullopt;
  }
  if (attempt.state == "53300") return std::nullopt;  // too many connections
  // 55000: to a database that takes none.
  if (attempt.state.starts_with("57P") || attempt.state == "55000") {
    return host_error::shutting_down;
  }
  // What libpq says by itself it says without an SQLSTATE, and in English: see dial(). PgBouncer,
  // which knows no other language, has the same SQLSTATE for most.
  const std::string_view text = attempt.failure;
  if (contains_any(text, {"no more connections allowed"})) return std::nullopt;
  if (contains_any(text, {"Connection refused", "No such file", "could not translate host name",
                          "No route to host", "Network is unreachable"})) {
    return host_error::refused;
  }
  return host_error::lost;
}

std::string reason_of(const error& e) {
  return e.diag().server_message.empty() ? e.diag().client_message : e.diag().server_message;
}

}  // namespace scalekit::db::postgres
