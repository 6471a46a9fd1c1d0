#include "db/postgres/token_query.hpp"

#include "db/postgres/own_exchange.hpp"
#include "db/topology/lsn.hpp"

#include <charconv>

namespace scalekit::db::postgres {
namespace {

constexpr const char* identity_text =
    "select (select system_identifier from pg_control_system()),"
    " pg_walfile_name(pg_current_wal_insert_lsn()),"
    " (extract(epoch from pg_stat_get_bgwriter_stat_reset_time()) * 1000000)::int8::text";
// With asynchronous commit what was committed is not flushed yet.
constexpr const char* position_text =
    "select case when current_setting('synchronous_commit') = 'off'"
    " then pg_current_wal_insert_lsn() else pg_current_wal_flush_lsn() end";

}  // namespace

void token_query::learn_identity(connection& c) {
  if (c.through_pooler) c.identity = {};
  if (!c.identity.is_known()) identity_ = send_own(c, identity_text);
}

void token_query::send(connection& c) {
  position_ = send_own(c, position_text, true);
}

causal_token token_query::read(connection& c) {
  if (identity_ && identity_->end == exchange::ending::done) {
    const auto* r = identity_->result.get();
    std::uint32_t timeline = 0;
    std::uint64_t crash_mark = 0;
    if (PQntuples(r) == 1) {
      timeline = detail::timeline_of_segment(
          {PQgetvalue(r, 0, 1), static_cast<std::size_t>(PQgetlength(r, 0, 1))});
      const char* mark = PQgetvalue(r, 0, 2);
      std::from_chars(mark, mark + PQgetlength(r, 0, 2), crash_mark);
    }
    if (const auto system = number_of(*identity_); system != 0) {
      c.identity = {system, timeline, crash_mark};
    }
  }
  if (!position_ || position_->end != exchange::ending::done || !c.identity.is_known()) return {};
  const auto lsn = number_of(*position_);
  if (lsn == 0) return {};
  return causal_token::postgres(c.identity.system, c.identity.timeline, lsn);
}

}  // namespace scalekit::db::postgres
