#include "db/sqlite/backend.hpp"

#include "db/bind_hash.hpp"
#include "db/call_site.hpp"
#include "db/classify/statement_class.hpp"
#include "db/sqlite/call_frame.hpp"
#include "scalekit/slow/tracker.hpp"

#include <utility>

namespace scalekit::db::sqlite {

using detail::access;
using detail::lease;
using std::chrono::steady_clock;

sqlite_backend::sqlite_backend(settings s, scalekit::execution exec)
    : settings_(std::move(s)),
      exec_(std::move(exec)),
      writer_("writer of " + settings_.path, connection_role::writer, 1, settings_, exec_) {
  if (!settings_.in_memory()) {
    readers_.emplace("reader of " + settings_.path, connection_role::reader,
                     settings_.params.sqlite.readers, settings_, exec_);
  }
  call_frame call{steady_clock::now(), deadline::after(settings_.params.statement_timeout)};
  connect(writer_, writer_.slots.front(), call);
  settings_.params.log(log_level::info, "db.open", "opened a SQLite database",
                       {{"path", settings_.path}});
}

sqlite_backend::~sqlite_backend() {
  if (!fork_guard_.is_forked()) return;
  // The connections are the parent's: closing them here could drop locks and files it uses.
  auto abandon = [](slot_group& group) {
    for (auto& s : group.slots) static_cast<void>(s.conn.release());
  };
  abandon(writer_);
  if (readers_) abandon(*readers_);
}

slot_group& sqlite_backend::group_for(access kind) noexcept {
  return kind == access::read && readers_ ? *readers_ : writer_;
}

access sqlite_backend::kind_of(const statement& query) {
  // A first guess: SQLite has the last word.
  const bool reads = detail::classify(query.text()).kind == detail::statement_kind::read;
  return reads ? access::read : access::write;
}

bool sqlite_backend::is_write_after_all(const statement&, const error& e) {
  // It says so before it runs anything; and of what is not allowed at all it says it again.
  return e.code() == errc::not_allowed;
}

void sqlite_backend::check_thread(std::string_view operation) const {
  fork_guard_.check(operation);
  io_thread_mark::check_blocking_allowed(operation);
}

error sqlite_backend::closed_error() const {
  return {errc::closed, "the client of " + settings_.path + " was closed"};
}

stop_condition sqlite_backend::limits_of(const call_frame& call) const noexcept {
  return {
      call.begun, call.until.when(), {call.stops[0], call.stops[1], call.stops[2]}, &stop_running_};
}

detail::lease_request sqlite_backend::request_for(const std::source_location& site,
                                                  const call_frame& call,
                                                  bool transaction) const noexcept {
  auto patience = deadline::after(settings_.params.acquire_timeout, call.begun);
  return {site, call.begun, earlier(patience, call.until).when(), transaction};
}

connection& sqlite_backend::connect(slot_group& group, slot& s, const call_frame& call) {
  if (!s.conn) s.conn = std::make_unique<connection>(settings_, group.role, limits_of(call));
  return *s.conn;
}

void sqlite_backend::leave(slot& s) noexcept {
  if (!s.conn) return;
  const bool clean = s.conn->rollback();
  // A database in memory would be gone with its connection.
  if (!clean || (s.conn->is_suspect() && !settings_.in_memory())) s.conn.reset();
}

write_result sqlite_backend::run(access kind, const statement& query, const call_options& options,
                                 detail::row_sink* rows) {
  check_thread("db::client");
  if (closing_.load(std::memory_order_relaxed)) throw closed_error();
  auto call = frame_of(options, settings_.params.statement_timeout);
  throw_if_stopped(options.stop, query.site());
  if (kind == access::write && shares_commits()) return run_write(query, options, rows, call);
  auto& group = group_for(kind);
  bool waited = false;
  lease lent;
  try {
    lent = group.pool->take(request_for(query.site(), call, false), options.stop, waited);
  } catch (...) {
    track_refusal(query, call, std::current_exception());
    throw;
  }
  if (waited) call.acquired = steady_clock::now();
  return run_with(std::move(lent), group, kind, query, rows, call);
}

write_result sqlite_backend::run_with(lease lent, slot_group& group, access kind,
                                      const statement& query, detail::row_sink* rows,
                                      const call_frame& call) {
  auto& s = group.slots[lent.slot()];
  connect(group, s, call);
  // Before the lease ends.
  struct visit {
    sqlite_backend& self;
    slot& visited;
    ~visit() { self.leave(visited); }
  } visit{*this, s};
  return run_on(s, kind, query, rows, call);
}

write_result sqlite_backend::run_on(slot& s, access kind, const statement& query,
                                    detail::row_sink* rows, const call_frame& call) {
  execution_report report;
  if (settings_.params.tracker) report.first_row = call.begun;
  try {
    s.conn->run(kind, query, rows, limits_of(call), report);
  } catch (...) {
    account(s, query, call, report, std::current_exception());
    throw;
  }
  account(s, query, call, report, nullptr);
  return {report.rows_affected, report.last_insert_id, write_token};
}

void sqlite_backend::account(slot& s, const statement& query, const call_frame& call,
                             execution_report& report,
                             const std::exception_ptr& failure) const noexcept {
  slot::add_one(s.statements);
  if (failure) {
    slot::add_one(s.failed);
  } else {
    slot::add_one(report.cache_hit ? s.hits : s.misses);
  }
  if (settings_.params.tracker) {
    if (!report.tracked) report.tracked = tracked(query);  // It did not even compile.
    track(query, call, report, failure);
  }
  if (failure && to_error(failure).code() == errc::corrupt) {
    settings_.params.log(log_level::error, "db.corrupt", "a statement found the file damaged",
                         {{"path", settings_.path}});
  }
}

slow::statement_ref sqlite_backend::tracked(const statement& query) const noexcept {
  return settings_.params.tracker->statement(query.text(), slow::dialect::sqlite);
}

void sqlite_backend::track_refusal(const statement& query, const call_frame& call,
                                   const std::exception_ptr& failure) const noexcept {
  if (!settings_.params.tracker) return;
  const auto now = steady_clock::now();
  const bool grouped = call.scope != nullptr && *call.scope;
  settings_.params.tracker->record(tracked(query), {now - call.begun, {}, {}, now}, 0,
                                   detail::outcome_of(failure), query.site(),
                                   grouped ? *call.scope : request_scope{}, 0);
}

void sqlite_backend::track(const statement& query, const call_frame& call,
                           const execution_report& report,
                           const std::exception_ptr& failure) const noexcept {
  const auto now = steady_clock::now();
  const auto started = call.acquired.value_or(call.begun);
  // A call that failed before its first row has no fetch time.
  const auto first = report.first_row > started ? *report.first_row : now;
  const auto rows =
      report.rows > 0 ? report.rows : static_cast<std::uint64_t>(report.rows_affected);
  const bool grouped = call.scope != nullptr && *call.scope;
  settings_.params.tracker->record(
      report.tracked, {started - call.begun, first - started, now - first, now}, rows,
      detail::outcome_of(failure), query.site(), grouped ? *call.scope : request_scope{},
      grouped ? detail::bind_hash(query.parameters()) : 0);
}

}  // namespace scalekit::db::sqlite
