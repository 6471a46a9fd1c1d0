#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace scalekit::db {

/// What a write did.
class write_result {
 public:
  write_result() = default;
  write_result(std::int64_t rows_affected, std::int64_t last_insert_id, std::string token)
      : rows_affected_(rows_affected), last_insert_id_(last_insert_id), token_(std::move(token)) {}

  /// Rows inserted, updated or deleted by the statement itself, not by its triggers or foreign
  /// key actions; 0 for statements that change no rows (create table).
  std::int64_t rows_affected() const noexcept { return rows_affected_; }

  /// SQLite's: the rowid given by the connection's most recent insert; meaningful right after an
  /// insert into a table with an integer key. Always 0 on PostgreSQL; `returning` works on both.
  std::int64_t last_insert_id() const noexcept { return last_insert_id_; }

  /// An opaque string that stands for "everything up to this write". It fits a cookie or a job,
  /// and a later read can ask for a state that includes it. Every SQLite read satisfies every
  /// token. Empty inside a transaction, where nothing is committed yet; and where a server has
  /// acknowledged the write but not told its position: reads of this client, and of the session
  /// that the write was made with, see it all the same.
  const std::string& token() const noexcept { return token_; }

 private:
  std::int64_t rows_affected_ = 0;
  std::int64_t last_insert_id_ = 0;
  std::string token_;
};

}  // namespace scalekit::db
