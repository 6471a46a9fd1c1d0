#pragma once

#include "db/sqlite/handle.hpp"
#include "db/sqlite/settings.hpp"
#include "db/sqlite/statement_cache.hpp"
#include "db/sqlite/stop_condition.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace scalekit::db::sqlite {

/// What a statement did, as far as it came.
struct execution_report {
  std::uint64_t rows = 0;
  std::int64_t rows_affected = 0;
  std::int64_t last_insert_id = 0;
  bool cache_hit = false;
  /// Only when times are wanted: when the first row, or the end, was there.
  std::optional<time_point> first_row;
  slow::statement_ref tracked;
};

/// One connection to a SQLite file: prepares, binds, steps and translates errors.
///
/// Thread safety: one thread at a time.
class connection {
 public:
  /// Opens the file. Throws unavailable, corrupt, io_error, execution_timeout.
  connection(const settings& s, connection_role role, const stop_condition& limits);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Runs one statement of the host. A write that has rows to hand over is undone when one of them
  /// cannot be.
  void run(detail::access kind, const statement& query, detail::row_sink* rows,
           const stop_condition& limits, execution_report& report);

  /// Runs several, in the transaction that is open.
  void run_script(std::string_view script, const stop_condition& limits);

  /// Runs a statement of our own: begin, commit, savepoints.
  void control(std::string_view text, const stop_condition& limits);

  /// Undoes whatever is open. False when even that failed: throw the connection away.
  bool rollback() noexcept;

  /// Undoes what was done since the savepoint, and ends it; the whole transaction if that fails.
  void undo_savepoint(const std::string& name) noexcept;

  /// Whether a deferred foreign key does not hold: a commit would fail.
  bool has_open_keys() const noexcept;

  /// A statement that is known may be kept out of groups until then.
  void keep_alone(std::string_view text, time_point until);
  bool is_alone(std::string_view text, time_point now);

  bool in_transaction() const noexcept { return sqlite3_get_autocommit(db_.get()) == 0; }

  /// True after an error that makes its view of the file doubtful.
  bool is_suspect() const noexcept { return suspect_; }

 private:
  class running;

  void open(connection_role role);
  void enter_wal_mode(const stop_condition& limits);
  std::string pragma(const std::string& text);
  void run_statement(detail::access kind, const statement& query, detail::row_sink* rows,
                     const stop_condition& limits, execution_report& report);
  void run_returning(const statement& query, detail::row_sink& rows, const stop_condition& limits,
                     execution_report& report);
  prepared& prepare(std::string_view text, execution_report& report);
  statement_ptr compile(std::string_view text, unsigned flags, const char** tail);
  void step_all(prepared& p, detail::row_sink* rows, execution_report& report);
  int step(sqlite3_stmt* s) noexcept;
  void match(prepared& p, const detail::row_sink& rows);
  [[noreturn]] void fail(int code, bool preparing);
  [[noreturn]] void fail_step(const prepared& p, int code);
  std::string explain(int code) const;

  static int on_progress(void* self) noexcept;
  static int on_busy(void* self, int count) noexcept;
  static int on_authorize(void* self, int action, const char* first, const char* second,
                          const char* database, const char* trigger) noexcept;

  const settings& settings_;
  database_ptr db_;
  statement_cache cache_;
  std::unordered_map<std::string, statement_ptr> control_;
  std::vector<value_view> row_;

  // The call that is running, for the callbacks.
  const stop_condition* limits_ = nullptr;
  const std::source_location* site_ = nullptr;
  sqlite3_stmt* stepping_ = nullptr;
  stop_cause stopped_by_ = stop_cause::none;
  bool waited_for_lock_ = false;
  bool trusted_ = false;
  bool suspect_ = false;
  std::string denied_;
};

}  // namespace scalekit::db::sqlite
