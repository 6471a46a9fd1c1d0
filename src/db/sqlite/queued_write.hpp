#pragma once

#include "db/lease_pool.hpp"
#include "db/sqlite/call_frame.hpp"
#include "db/sqlite/connection.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <exception>

namespace scalekit::db::sqlite {

/// A write outside a transaction that waits for the writer, or for whoever has it to run it. Points
/// to what its caller keeps.
struct queued_write : detail::errand {
  queued_write(const statement& q, detail::row_sink* r, const call_frame& c)
      : query(&q), rows(r), call(c) {}

  const statement* query;
  detail::row_sink* rows;
  call_frame call;

  /// Was in a group that was broken up: it must not be in another.
  bool alone = false;
  execution_report report;
  std::exception_ptr failure;

  /// Statement and arguments.
  std::size_t bytes() const noexcept;

  /// As if it had never run.
  void restart() noexcept {
    report = {};
    failure = nullptr;
    if (rows != nullptr) rows->restart();
  }

  /// What its caller gets. Throws the failure.
  write_result result() const {
    if (failure) std::rethrow_exception(failure);
    return {report.rows_affected, report.last_insert_id, write_token};
  }
};

}  // namespace scalekit::db::sqlite
