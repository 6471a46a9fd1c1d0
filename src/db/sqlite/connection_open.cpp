#include "db/sqlite/connection.hpp"
#include "db/sqlite/error_map.hpp"

#include <random>
#include <thread>

// How a connection comes to be: what is set once and holds for its life.

namespace scalekit::db::sqlite {
namespace {

const char* name_of(synchronous_mode mode) noexcept {
  switch (mode) {
    case synchronous_mode::off:
      return "off";
    case synchronous_mode::normal:
      return "normal";
    case synchronous_mode::full:
      return "full";
    case synchronous_mode::extra:
      return "extra";
  }
  return "full";
}

int open_flags(const settings& s) noexcept {
  // Our leases see to it that one thread at a time uses a connection.
  constexpr int always = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (s.params.sqlite.mode) {
    case sqlite_mode::read_write_create:
      return always | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    case sqlite_mode::read_write:
      return always | SQLITE_OPEN_READWRITE;
    case sqlite_mode::read_only:
      return always | SQLITE_OPEN_READONLY;
  }
  return always;
}

}  // namespace

connection::connection(const settings& s, connection_role role, const stop_condition& limits)
    : settings_(s), cache_(s.params.statement_cache) {
  limits_ = &limits;
  trusted_ = true;
  open(role);
  if (role == connection_role::writer && !s.in_memory()) enter_wal_mode(limits);
  // Reads the header, so that a damaged file is found now.
  pragma("pragma schema_version");
  if (role == connection_role::reader) pragma("pragma query_only = on");
  trusted_ = false;
  limits_ = nullptr;
}

void connection::open(connection_role role) {
  sqlite3* raw = nullptr;
  int rc = sqlite3_open_v2(settings_.path.c_str(), &raw, open_flags(settings_), nullptr);
  db_.reset(raw);
  if (rc != SQLITE_OK) fail(rc, false);

  auto* db = db_.get();
  const auto& p = settings_.params;
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(p.max_value_bytes));
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // A misspelt "column" must not turn into a string.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_busy_handler(db, on_busy, this);
  // Some 10 to 50 microseconds of work apart: prompt, and not measurable.
  sqlite3_progress_handler(db, 1000, on_progress, this);
  sqlite3_set_authorizer(db, on_authorize, this);

  pragma("pragma foreign_keys = on");
  pragma("pragma cache_size = -" + std::to_string(p.sqlite.cache_bytes / 1024));
  pragma("pragma mmap_size = " + std::to_string(p.sqlite.mmap_bytes));
  if (role == connection_role::writer) {
    pragma(std::string("pragma synchronous = ") + name_of(p.sqlite.synchronous));
    pragma("pragma journal_size_limit = " + std::to_string(p.sqlite.journal_size_limit));
    if (p.sqlite.max_database_bytes > 0) {
      auto page = std::stoull(pragma("pragma page_size"));
      auto pages = (p.sqlite.max_database_bytes + page - 1) / page;
      pragma("pragma max_page_count = " + std::to_string(pages));
    }
  }
}

void connection::enter_wal_mode(const stop_condition& limits) {
  if (sqlite3_db_readonly(db_.get(), "main") == 1) return;
  // Processes that create the file together exclude each other here, and SQLite does not call the
  // busy handler for it.
  for (;;) {
    try {
      auto mode = pragma("pragma journal_mode = wal");
      if (mode == "wal") return;
      throw error(make_error_code(errc::unavailable),
                  {"the file cannot be used in WAL mode, its journal mode is " + mode,
                   {},
                   {},
                   settings_.path});
    } catch (const error& e) {
      if (e.code() != errc::conflict || limits.check() != stop_cause::none) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
  }
}

std::string connection::pragma(const std::string& text) {
  const char* tail = nullptr;
  auto s = compile(text, 0, &tail);
  std::string answer;
  int rc = sqlite3_step(s.get());
  if (rc == SQLITE_ROW && sqlite3_column_text(s.get(), 0) != nullptr) {
    answer = reinterpret_cast<const char*>(sqlite3_column_text(s.get(), 0));
  }
  while (rc == SQLITE_ROW) rc = sqlite3_step(s.get());
  if (rc != SQLITE_DONE) fail(rc, false);
  return answer;
}

}  // namespace scalekit::db::sqlite
