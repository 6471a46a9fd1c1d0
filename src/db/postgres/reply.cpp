#include "db/postgres/reply.hpp"

#include "db/call_site.hpp"
#include "db/postgres/pooler_word.hpp"
#include "db/postgres/sqlstate.hpp"
#include "db/postgres/wire_types.hpp"

#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {
namespace {

/// INSERT, UPDATE, DELETE and MERGE tell how many rows they changed; so does SELECT, which changed
/// none.
std::int64_t changed_by(PGresult* r) {
  if (std::string_view(PQcmdStatus(r)).starts_with("SELECT")) return 0;
  const std::string_view tuples = PQcmdTuples(r);
  std::int64_t n = 0;
  std::from_chars(tuples.data(), tuples.data() + tuples.size(), n);
  return n;
}

[[noreturn]] void fail_decoding(wire_status status, const description::column& column) {
  switch (status) {
    case wire_status::out_of_range:
      throw error(errc::value_out_of_range,
                  "column '" + column.name + "' of type " + type_name_of(column.type) +
                      " holds a value beyond the range of what it is read into");
    case wire_status::unsupported:
      throw error(errc::column_mismatch, "column '" + column.name + "' is of type " +
                                             type_name_of(column.type) +
                                             ", which cannot be read; cast it to text");
    case wire_status::ok:
    case wire_status::malformed:
      break;
  }
  throw error(errc::corrupt, "column '" + column.name + "': the server sent no value of type " +
                                 type_name_of(column.type));
}

}  // namespace

std::string sqlstate_of(const exchange& e) {
  return std::string(e.result ? field_of(e.result.get(), PG_DIAG_SQLSTATE) : std::string_view());
}

bool is_stale_plan(const exchange& e) {
  const auto state = sqlstate_of(e);
  if (state == "26000") return true;
  return state == "0A000" &&
         field_of(e.result.get(), PG_DIAG_SOURCE_FUNCTION) == "RevalidateCachedQuery";
}

error error_of(const exchange& e, const std::source_location& site, const std::string& origin,
               bool is_write) {
  const auto place = detail::describe(site) + ": ";
  if (e.end == exchange::ending::lost) {
    if (is_write && e.sent) {
      return {make_error_code(errc::commit_in_doubt),
              {place + "the connection was lost before the server answered: the change may or may "
                       "not have been made",
               e.lost_because,
               {},
               origin}};
    }
    return {make_error_code(errc::connection_lost),
            {place + "the connection was lost", e.lost_because, {}, origin}};
  }
  if (e.end == exchange::ending::skipped || !e.result) {
    return {make_error_code(errc::backend_error),
            {place + "not run: a statement before it failed", {}, {}, origin}};
  }
  auto state = sqlstate_of(e);
  std::string said(field_of(e.result.get(), PG_DIAG_MESSAGE_PRIMARY));
  auto code = errc_of(state, said);
  if (auto constraint = field_of(e.result.get(), PG_DIAG_CONSTRAINT_NAME); !constraint.empty()) {
    said.append(" (").append(constraint).append(")");
  }
  if (auto hint = field_of(e.result.get(), PG_DIAG_MESSAGE_HINT); !hint.empty()) {
    said.append("; hint: ").append(hint);
  }
  if (state.empty()) {
    code = errc::backend_error;
    said = PQresultErrorMessage(e.result.get());
  }
  std::string what = "the statement failed";
  if (is_end_by_pooler(e.result.get())) {
    const bool may_be_made = is_write && e.sent;
    code = may_be_made ? errc::commit_in_doubt : errc::connection_lost;
    what = may_be_made ? "the pooler lost the server before that answered: the change may or may "
                         "not have been made"
                       : "the connection was lost";
  }
  // What breaks down in the midst of a commit may find it in its log when it comes back.
  if (is_write && field_of(e.result.get(), PG_DIAG_SEVERITY_NONLOCALIZED) == "PANIC") {
    code = errc::commit_in_doubt;
    what = "the server broke down: the change may or may not have been made";
  }
  return {make_error_code(code), {place + what, std::move(said), std::move(state), origin}};
}

error error_of_read(const exchange& e, const std::source_location& site,
                    const std::string& origin) {
  auto found = error_of(e, site, origin, false);
  if (!is_wrong_role(found.diag().backend_code)) return found;
  auto diag = found.diag();
  diag.client_message = detail::describe(site) +
                        ": the statement tried to write, and was called as a read; call it through "
                        "write() or execute()";
  return {make_error_code(errc::not_allowed), std::move(diag)};
}

row_feed::row_feed(const exchange& e, detail::row_sink& rows, std::size_t max_value_bytes)
    : columns_(e.read_by->columns),
      map_(e.entry->columns_for(*e.read_by, rows.shape())),
      rows_(rows),
      max_value_bytes_(max_value_bytes),
      row_(map_.size()),
      scratch_(map_.size()) {}

void row_feed::feed(const PGresult* r, int i) {
  for (std::size_t c = 0; c < map_.size(); ++c) {
    const int field = static_cast<int>(map_[c]);
    if (PQgetisnull(r, i, field) != 0) {
      row_[c] = {};
      continue;
    }
    const auto size = static_cast<std::size_t>(PQgetlength(r, i, field));
    if (size > max_value_bytes_) {
      throw error(errc::too_large, "column '" + columns_[map_[c]].name + "' holds a value of " +
                                       std::to_string(size) + " bytes; max_value_bytes is " +
                                       std::to_string(max_value_bytes_));
    }
    const auto status =
        columns_[map_[c]].decode({PQgetvalue(r, i, field), size}, row_[c], scratch_[c]);
    if (status != wire_status::ok) [[unlikely]]
      fail_decoding(status, columns_[map_[c]]);
  }
  rows_.accept(row_.data());
  ++count_;
}

reply deliver(exchange& e, detail::row_sink* rows, std::size_t max_value_bytes) {
  const auto result = std::move(e.result);
  auto* r = result.get();
  if (PQresultStatus(r) == PGRES_EMPTY_QUERY) {
    throw error(errc::invalid_statement, "the statement is empty");
  }
  reply out;
  out.rows_affected = changed_by(r);
  if (rows == nullptr) return out;
  row_feed feed(e, *rows, max_value_bytes);
  const int count = PQntuples(r);
  for (int i = 0; i < count; ++i) feed.feed(r, i);
  out.rows = feed.count();
  return out;
}

}  // namespace scalekit::db::postgres
