#include "db/sqlite/connection.hpp"

#include "db/call_site.hpp"
#include "db/sqlite/authorizer.hpp"
#include "db/sqlite/error_map.hpp"
#include "db/sqlite/parameters.hpp"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

namespace scalekit::db::sqlite {

using detail::access;
using detail::describe;
using detail::in_ms;
using detail::row_sink;

namespace {

value_view column(sqlite3_stmt* s, int i) noexcept {
  // One look at the column in place of three. Such a value is meant for threads that share no
  // connection, and this one is opened without a mutex.
  auto* v = sqlite3_column_value(s, i);
  switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER:
      return value_view(std::int64_t{sqlite3_value_int64(v)});
    case SQLITE_FLOAT:
      return value_view(sqlite3_value_double(v));
    case SQLITE_TEXT: {
      auto* text = reinterpret_cast<const char*>(sqlite3_value_text(v));
      return value_view(std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(v))));
    }
    case SQLITE_BLOB: {
      auto* blob = static_cast<const std::byte*>(sqlite3_value_blob(v));
      return value_view(std::span(blob, static_cast<std::size_t>(sqlite3_value_bytes(v))));
    }
    default:
      return {};
  }
}

/// What undoes a change is not stopped.
const stop_condition unlimited{{}, time_point::max(), {}, nullptr};

int times_prepared_anew(sqlite3_stmt* s) noexcept {
  return sqlite3_stmt_status(s, SQLITE_STMTSTATUS_REPREPARE, 0);
}

/// Leaves no statement half run: an open one would hold its snapshot.
class reset_at_end {
 public:
  explicit reset_at_end(sqlite3_stmt* s) noexcept : statement_(s) {}
  ~reset_at_end() { sqlite3_reset(statement_); }
  reset_at_end(const reset_at_end&) = delete;
  reset_at_end& operator=(const reset_at_end&) = delete;

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

/// Lends the limits of a call to the callbacks.
class connection::running {
 public:
  running(connection& self, const stop_condition& limits, const std::source_location* site)
      : self_(self) {
    if (self.limits_ != nullptr) {
      throw error(errc::not_allowed, "a codec or callback used the connection whose row it reads");
    }
    self.limits_ = &limits;
    self.site_ = site;
    self.stopped_by_ = stop_cause::none;
    self.waited_for_lock_ = false;
    self.denied_.clear();
  }
  ~running() { self_.limits_ = nullptr; }
  running(const running&) = delete;
  running& operator=(const running&) = delete;

 private:
  connection& self_;
};

void connection::run(access kind, const statement& query, row_sink* rows,
                     const stop_condition& limits, execution_report& report) {
  try {
    run_statement(kind, query, rows, limits, report);
  } catch (const error& e) {
    // What binding and reading throw knows its column or parameter, but not whose it is.
    const auto place = describe(query.site()) + ": ";
    if (e.diag().client_message.starts_with(place)) throw;
    auto diag = e.diag();
    diag.client_message.insert(0, place);
    throw error(e.code(), std::move(diag));
  }
}

void connection::run_statement(access kind, const statement& query, row_sink* rows,
                               const stop_condition& limits, execution_report& report) {
  {
    running call(*this, limits, &query.site());
    auto& p = prepare(query.text(), report);
    if (kind == access::read && !p.read_only) {
      throw error(errc::not_allowed,
                  describe(query.site()) + ": the statement could write; use write() for it");
    }
    if (rows == nullptr || p.read_only) {
      bind_parameters(p.handle.get(), p.parameters, query.parameters());
      step_all(p, rows, report);
      return;
    }
  }
  run_returning(query, *rows, limits, report);
}

void connection::run_returning(const statement& query, row_sink& rows, const stop_condition& limits,
                               execution_report& report) {
  // All changes are made before the first row is handed out. If a row then cannot be read, the
  // caller sees an exception, so the changes must go.
  const bool nested = in_transaction();
  control(nested ? "savepoint scalekit_rows" : "begin immediate", limits);
  try {
    {
      running call(*this, limits, &query.site());
      auto& p = prepare(query.text(), report);
      bind_parameters(p.handle.get(), p.parameters, query.parameters());
      step_all(p, &rows, report);
    }
    control(nested ? "release scalekit_rows" : "commit", limits);
  } catch (...) {
    nested ? undo_savepoint("scalekit_rows") : void(rollback());
    throw;
  }
}

void connection::step_all(prepared& p, row_sink* rows, execution_report& report) {
  auto* s = p.handle.get();
  reset_at_end guard(s);
  const auto changes_before = p.read_only ? 0 : sqlite3_total_changes64(db_.get());

  int rc = step(s);
  const bool is_answered = rc == SQLITE_ROW || rc == SQLITE_DONE;
  if (report.first_row && is_answered) report.first_row = std::chrono::steady_clock::now();
  // Not before the first step: only then does SQLite notice that the schema has changed, and the
  // columns of `select *` with it.
  if (rows != nullptr && is_answered) match(p, *rows);
  if (rc == SQLITE_ROW && rows != nullptr) {
    const std::size_t* columns = p.columns.data();
    const std::size_t count = p.columns.size();
    row_.resize(count);
    do {
      for (std::size_t i = 0; i < count; ++i) row_[i] = column(s, static_cast<int>(columns[i]));
      rows->accept(row_.data());
      ++report.rows;
      rc = step(s);
    } while (rc == SQLITE_ROW);
  } else {
    while (rc == SQLITE_ROW) rc = step(s);
  }
  if (rc != SQLITE_DONE) fail_step(p, rc);
  if (!p.read_only) {
    bool changed = sqlite3_total_changes64(db_.get()) != changes_before;
    report.rows_affected = changed ? sqlite3_changes64(db_.get()) : 0;
    report.last_insert_id = sqlite3_last_insert_rowid(db_.get());
  }
}

int connection::step(sqlite3_stmt* s) noexcept {
  stepping_ = s;
  int rc = sqlite3_step(s);
  stepping_ = nullptr;
  return rc;
}

void connection::match(prepared& p, const row_sink& rows) {
  auto* s = p.handle.get();
  const int anew = times_prepared_anew(s);
  if (p.shape == &rows.shape() && p.prepared_anew == anew) return;
  std::vector<std::string_view> names;
  for (int i = 0; i < sqlite3_column_count(s); ++i) names.emplace_back(sqlite3_column_name(s, i));
  p.columns = scalekit::detail::match_columns(rows.shape(), names);
  p.shape = &rows.shape();
  p.prepared_anew = anew;
}

prepared& connection::prepare(std::string_view text, execution_report& report) {
  if (auto* known = cache_.find(text)) [[likely]] {
    report.cache_hit = true;
    report.tracked = known->tracked;
    return *known;
  }
  if (text.find('\0') != std::string_view::npos) {
    // SQLite would run what stands before it.
    throw error(errc::invalid_statement, "the statement contains a NUL");
  }
  const char* tail = nullptr;
  prepared fresh;
  fresh.text = text;
  fresh.handle = compile(fresh.text, SQLITE_PREPARE_PERSISTENT, &tail);
  if (!fresh.handle) throw error(errc::invalid_statement, "the statement is empty");
  while (tail != nullptr && *tail != '\0') {
    if (compile(tail, 0, &tail)) {
      throw error(errc::invalid_statement,
                  "several statements in one; run each by itself, or use run_script()");
    }
  }
  fresh.read_only = sqlite3_stmt_readonly(fresh.handle.get()) != 0;
  fresh.parameters = map_parameters(fresh.handle.get());
  if (settings_.params.tracker) {
    fresh.tracked = settings_.params.tracker->statement(text, slow::dialect::sqlite);
    report.tracked = fresh.tracked;
  }
  return cache_.insert(std::move(fresh));
}

statement_ptr connection::compile(std::string_view text, unsigned flags, const char** tail) {
  denied_.clear();
  sqlite3_stmt* raw = nullptr;
  if (text.size() > settings_.params.max_value_bytes) fail(SQLITE_TOOBIG, true);
  int rc =
      sqlite3_prepare_v3(db_.get(), text.data(), static_cast<int>(text.size()), flags, &raw, tail);
  if (rc != SQLITE_OK) fail(rc, true);
  return statement_ptr(raw);
}

void connection::run_script(std::string_view script, const stop_condition& limits) {
  running call(*this, limits, nullptr);
  const std::string text(script);
  if (text.find('\0') != std::string::npos) {
    throw error(errc::invalid_statement, "the script contains a NUL");
  }
  for (const char* rest = text.c_str(); *rest != '\0';) {
    auto one = compile(rest, 0, &rest);
    if (!one) continue;
    int rc = step(one.get());
    while (rc == SQLITE_ROW) rc = step(one.get());
    if (rc != SQLITE_DONE) fail(rc, false);
  }
}

void connection::control(std::string_view text, const stop_condition& limits) {
  running call(*this, limits, nullptr);
  // While it runs, too: after a change of the schema SQLite prepares it anew and asks again.
  struct trust {
    bool& flag;
    explicit trust(bool& f) : flag(f) { flag = true; }
    ~trust() { flag = false; }
  } trust(trusted_);
  auto known = control_.find(std::string(text));
  if (known == control_.end()) {
    const char* tail = nullptr;
    known = control_.emplace(text, compile(text, SQLITE_PREPARE_PERSISTENT, &tail)).first;
  }
  reset_at_end guard(known->second.get());
  int rc = step(known->second.get());
  if (rc != SQLITE_DONE) fail(rc, false);
}

bool connection::rollback() noexcept {
  // SQLite may have rolled back by itself.
  if (!in_transaction()) return true;
  try {
    control("rollback", unlimited);
  } catch (...) {
    suspect_ = true;
  }
  return !in_transaction();
}

void connection::undo_savepoint(const std::string& name) noexcept {
  if (!in_transaction()) return;
  try {
    control("rollback to " + name, unlimited);
    control("release " + name, unlimited);
  } catch (...) {
    rollback();
  }
}

bool connection::has_open_keys() const noexcept {
  int open = 0;
  int unused = 0;
  sqlite3_db_status(db_.get(), SQLITE_DBSTATUS_DEFERRED_FKS, &open, &unused, 0);
  return open != 0;
}

void connection::keep_alone(std::string_view text, time_point until) {
  if (auto* known = cache_.find(text)) known->alone_until = until;
}

bool connection::is_alone(std::string_view text, time_point now) {
  const auto* known = cache_.find(text);
  return known != nullptr && now < known->alone_until;
}

void connection::fail_step(const prepared& p, int code) {
  if (code == SQLITE_ERROR) {
    // The schema has changed under a cached statement? Then the SQL, not the backend, is wrong.
    auto said = std::string(sqlite3_errmsg(db_.get()));
    const char* tail = nullptr;
    sqlite3_stmt* again = nullptr;
    int rc = sqlite3_prepare_v3(db_.get(), p.text.data(), static_cast<int>(p.text.size()), 0,
                                &again, &tail);
    sqlite3_finalize(again);
    if (rc != SQLITE_OK) fail(rc, true);
    throw error(make_error_code(errc::backend_error),
                {explain(code), std::move(said), std::to_string(code), settings_.path});
  }
  fail(code, false);
}

void connection::fail(int code, bool preparing) {
  suspect_ |= sqlite::is_suspect(code);
  errc what = errc_of(code, preparing);
  if (!denied_.empty()) {
    throw error(errc::not_allowed, "not allowed in a statement: " + denied_);
  }
  const int primary = code & 0xff;
  if (primary == SQLITE_INTERRUPT || primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    if (stopped_by_ != stop_cause::none) what = errc_of(stopped_by_);
  }
  throw error(make_error_code(what),
              {explain(code), sqlite3_errmsg(db_.get()), std::to_string(code), settings_.path});
}

std::string connection::explain(int code) const {
  std::string text = site_ == nullptr ? std::string() : describe(*site_) + ": ";
  if (stopped_by_ == stop_cause::deadline && waited_for_lock_) {
    return text + "another process held the write lock for " +
           in_ms(std::chrono::steady_clock::now() - limits_->begun);
  }
  if (stopped_by_ != stop_cause::none) return text + text_of(stopped_by_, limits_->begun);
  switch (code & 0xff) {
    case SQLITE_TOOBIG:
      return text + "a value, row or statement is larger than max_value_bytes, " +
             std::to_string(settings_.params.max_value_bytes);
    case SQLITE_FULL:
      return text + "no space left for the database";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return text + "the database file is damaged; restore it from a backup";
    default:
      return text + "the statement failed";
  }
}

int connection::on_progress(void* self) noexcept {
  auto& me = *static_cast<connection*>(self);
  if (me.limits_ == nullptr) return 0;
  // SQLite asks once more when the statement has ended and is committed. Stopping it then would
  // report as undone what is done.
  if (me.stepping_ != nullptr && sqlite3_stmt_busy(me.stepping_) == 0) return 0;
  me.stopped_by_ = me.limits_->check();
  if (me.stopped_by_ == stop_cause::none) return 0;
  me.waited_for_lock_ = false;
  return 1;
}

int connection::on_busy(void* self, int) noexcept {
  auto& me = *static_cast<connection*>(self);
  if (me.limits_ == nullptr) return 0;
  me.waited_for_lock_ = true;
  me.stopped_by_ = me.limits_->check();
  if (me.stopped_by_ != stop_cause::none) return 0;
  // Short and even: SQLite's own growing steps let newcomers overtake who has waited long.
  thread_local std::minstd_rand random{std::random_device{}()};
  const std::chrono::microseconds pause{500 + random() % 1000};
  const auto left = me.limits_->until - std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, left));
  return 1;
}

int connection::on_authorize(void* self, int action, const char* first, const char* second,
                             const char*, const char*) noexcept {
  auto& me = *static_cast<connection*>(self);
  if (me.trusted_) return SQLITE_OK;
  auto reason = why_denied(action, first, second);
  if (!reason) return SQLITE_OK;
  me.denied_ = std::move(*reason);
  return SQLITE_DENY;
}

}  // namespace scalekit::db::sqlite
