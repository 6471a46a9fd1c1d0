#include "db/postgres/probe.hpp"

#include "db/postgres/drive.hpp"
#include "db/postgres/evidence.hpp"
#include "db/postgres/own_call.hpp"
#include "db/postgres/stop_bell.hpp"
#include "db/topology/lsn.hpp"

#include <boost/endian/conversion.hpp>

#include <chrono>
#include <source_location>
#include <string_view>

namespace scalekit::db::postgres {

using detail::access;
using detail::host_error;
using detail::host_sample;
using detail::log_place;
using detail::timeline_switch;
using std::chrono::steady_clock;

namespace {

// The role is asked for once, so that the answer is of one piece even in a promotion; positions
// come before timelines. With asynchronous commit what was committed is not flushed yet.
constexpr const char* look_text =
    "select s.standby, (select system_identifier from pg_control_system()),"
    " case when s.standby then pg_last_wal_replay_lsn()"
    "  when current_setting('synchronous_commit') = 'off' then pg_current_wal_insert_lsn()"
    "  else pg_current_wal_flush_lsn() end,"
    " case when not s.standby then pg_walfile_name(pg_current_wal_insert_lsn()) end,"
    " r.received_tli, r.pid, current_setting('default_transaction_read_only') = 'on'"
    " from (select pg_is_in_recovery() as standby offset 0) s"
    " left join pg_stat_wal_receiver r on s.standby";

constexpr const char* place_text =
    "select s.at, r.received_tli from (select pg_last_wal_replay_lsn() as at offset 0) s"
    " left join pg_stat_wal_receiver r on true";

constexpr const char* history_text =
    "select pg_read_file('pg_wal/'"
    " || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '.history')";

// All clients of the server are counted, whatever their database: the locks of a fleet have one
// first key, and the role in the second. Limits of role and database do not hold for superusers.
constexpr const char* fleet_text =
    "select pg_backend_pid(), coalesce(bool_or(l.pid = pg_backend_pid()), false),"
    " current_setting('max_connections')::int8,"
    " current_setting('superuser_reserved_connections')::int8"
    "  + coalesce(current_setting('reserved_connections', true)::int8, 0),"
    " case when r.rolsuper then -1 else r.rolconnlimit end::int8,"
    " case when r.rolsuper then -1 else d.datconnlimit end::int8,"
    " count(l.pid), count(l.pid) filter (where l.objid = r.oid),"
    " count(l.pid) filter (where l.database = d.oid)"
    " from pg_roles r join pg_database d on d.datname = current_database()"
    " left join pg_locks l on l.locktype = 'advisory' and l.classid = 1936418412"
    "  and l.objsubid = 2 and l.granted"
    " where r.rolname = session_user"
    " group by r.oid, r.rolsuper, r.rolconnlimit, d.oid, d.datconnlimit";

constexpr const char* join_text =
    "select pg_try_advisory_lock_shared(1936418412, oid::int4) from pg_roles"
    " where rolname = session_user";

/// Fields of the only row of an answer in binary; 0, false and "" for null.
class fields {
 public:
  explicit fields(const PGresult* row) : row_(row) {}

  bool is_null(int i) const { return PQgetisnull(row_, 0, i) != 0; }
  bool flag(int i) const { return size(i) == 1 && *data(i) != 0; }
  std::uint64_t number(int i) const {
    return size(i) == 8   ? boost::endian::load_big_u64(data(i))
           : size(i) == 4 ? boost::endian::load_big_u32(data(i))
                          : 0;
  }
  long limit(int i) const { return static_cast<long>(number(i)); }
  std::string_view text(int i) const {
    return {reinterpret_cast<const char*>(data(i)), static_cast<std::size_t>(size(i))};
  }

 private:
  const unsigned char* data(int i) const {
    return reinterpret_cast<const unsigned char*>(PQgetvalue(row_, 0, i));
  }
  int size(int i) const { return PQgetlength(row_, 0, i); }

  const PGresult* row_;
};

}  // namespace

bool probe::connect(time_point until, dialed& attempt) {
  if (connection_ && !connection_->wire->is_broken()) return true;
  connection_.reset();
  attempt = dial(server_, until, stop_);
  if (!attempt.connection) return false;
  connection_ = std::make_unique<connection>(std::move(attempt.connection), server_.name, 1);
  return true;
}

template <class Answer, class Read>
probed<Answer> probe::ask(const char* text, time_point until, Read read) {
  probed<Answer> out;
  try {
    dialed attempt;
    if (!connect(until, attempt)) {
      out.against = evidence_of(attempt);
      // Whatever else keeps the monitor out: its silence needs an explanation.
      if (!out.against && !attempt.given_up) out.against = host_error::lost;
      out.why = std::move(attempt.failure);
      return out;
    }
    own_call call({text}, std::source_location::current());
    const auto asked_at = steady_clock::now();
    auto end = wait_end::ready;
    {
      const stop_bell bell(connection_->bell, {&stop_, nullptr, nullptr});
      end = converse(*connection_, call, until);
    }
    if (end != wait_end::ready) {
      connection_.reset();
      if (stop_.stop_requested()) return out;
      out.against = host_error::lost;
      out.why = "no answer to the monitor in time";
      return out;
    }
    const auto* row = call.answers().front()->result.get();
    if (PQntuples(row) == 1) out.answer = read(fields(row), asked_at);
  } catch (const error& e) {
    out.why = reason_of(e);
    out.against = evidence_of(e, access::read);
    if (out.against) connection_.reset();
  } catch (const std::exception& e) {
    out.why = e.what();
  }
  return out;
}

probed<host_sample> probe::look(time_point until) {
  return ask<host_sample>(look_text, until, [this](const fields& row, time_point asked_at) {
    host_sample seen{.asked_at = asked_at};
    seen.in_recovery = row.flag(0);
    seen.system_id = row.number(1);
    seen.position = {row.number(2)};
    seen.timeline = seen.in_recovery ? static_cast<std::uint32_t>(row.number(4))
                                     : detail::timeline_of_segment(row.text(3));
    seen.read_only = row.flag(6);
    // Whoever may not see the rest of it sees the process.
    blind_ = seen.in_recovery && seen.timeline == 0 && !row.is_null(5);
    return seen;
  });
}

probed<log_place> probe::place(time_point until) {
  return ask<log_place>(place_text, until, [](const fields& row, time_point) {
    return log_place{static_cast<std::uint32_t>(row.number(1)), {row.number(0)}};
  });
}

probed<std::vector<timeline_switch>> probe::history(time_point until) {
  return ask<std::vector<timeline_switch>>(history_text, until, [](const fields& row, time_point) {
    return detail::parse_timeline_history(row.text(0));
  });
}

probed<fleet_sight> probe::fleet(time_point until) {
  return ask<fleet_sight>(fleet_text, until, [this](const fields& row, time_point) {
    return fleet_sight{
        .facts = {.max_connections = row.number(2),
                  .reserved = row.number(3),
                  .clients = row.number(6),
                  .role = {.connections = row.limit(4), .clients = row.number(7)},
                  .database = {.connections = row.limit(5), .clients = row.number(8)}},
        .is_member = row.flag(1),
        .is_pooled = static_cast<int>(row.number(0)) != connection_->wire->server_process()};
  });
}

probed<bool> probe::join_fleet(time_point until) {
  return ask<bool>(join_text, until, [](const fields& row, time_point) { return row.flag(0); });
}

}  // namespace scalekit::db::postgres
