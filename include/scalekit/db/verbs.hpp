#pragma once

#include "scalekit/core/row.hpp"
#include "scalekit/db/detail/backend.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/read_each.hpp"
#include "scalekit/db/statement.hpp"
#include "scalekit/db/write_result.hpp"

#include <concepts>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace scalekit::db {

/// The calls that a client and a transaction have in common.
///
/// Every one of them throws scalekit::error with one of these codes:
///
/// | errc                 | when                                                               |
/// | -------------------- | ------------------------------------------------------------------ |
/// | acquire_timeout      | no connection came free in time                                    |
/// | execution_timeout    | the statement ran, or waited for another process, for too long     |
/// | cancelled            | the call was stopped                                               |
/// | shed                 | the queue for connections was full, or has been too long for long  |
/// | invalid_statement    | not SQL, or names what does not exist, or several statements       |
/// | parameter_mismatch   | more, fewer or other parameters bound than the statement has       |
/// | column_mismatch      | the result cannot be read into Row (core/row.hpp)                  |
/// | value_out_of_range   | a value that would have to be cut to fit; on SQLite a NaN          |
/// | too_large            | a value or the statement exceeds max_value_bytes                   |
/// | not_found            | where exactly one row was asked for                                |
/// | invalid_argument     | an option out of range; a causal token of another database         |
/// | not_allowed          | a write in read(), transaction control, ATTACH, unsafe pragmas;    |
/// |                      | a blocking call on an I/O thread                                   |
/// | not_supported        | the database has no such thing, as SQLite has no arrays            |
/// | constraint_violation | unique, foreign key, check or not null; backend_code says which    |
/// | conflict             | lost against another transaction or process                        |
/// | unavailable          | the file or server cannot be reached, or no host may serve it      |
/// | connection_lost      | ... during a read (made twice), or before anything was committed   |
/// | commit_in_doubt      | a write was sent, and nobody can say whether it was made           |
/// | write_lost           | the write of the causal token is gone since a failover             |
/// | read_only, disk_full, io_error, corrupt | the file's or the server's state                |
/// | closed, forked       | the handle's state                                                 |
/// | backend_error        | what no other code describes; see backend_code                     |
///
/// A call that throws has changed nothing, except with commit_in_doubt, and that what a transaction
/// did before it stays in the transaction.
template <class Self>
class verbs {
 public:
  /// All rows, in the order of the result. A statement that could write is errc::not_allowed.
  template <class Row>
  std::vector<Row> read(const statement& query, const call_options& options = {}) {
    scalekit::detail::row_collector<Row> rows;
    self().run(detail::access::read, query, options, &rows);
    return rows.take();
  }

  /// The only row. Throws errc::not_found for none and errc::too_large for several.
  template <class Row>
  Row read_one(const statement& query, const call_options& options = {}) {
    auto rows = read<Row>(query, options);
    detail::require_one_row(rows.size(), query);
    return std::move(rows.front());
  }

  /// The only row, if there is one. Throws errc::too_large for several.
  template <class Row>
  std::optional<Row> read_optional(const statement& query, const call_options& options = {}) {
    auto rows = read<Row>(query, options);
    detail::require_at_most_one_row(rows.size(), query);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  }

  /// Calls `each(Row&&)` with every row, in the order of the result, as the rows come: of a result
  /// of any size only a few are in memory at a time, and while `each` runs no more is fetched.
  /// Returns how many there were.
  ///
  /// What `each` throws stops the statement and reaches the caller; on PostgreSQL a transaction in
  /// which that happens is aborted. It must not use the transaction whose rows it gets
  /// (errc::not_allowed), but may roll it back: it gets no more rows then, and this throws
  /// errc::not_allowed. The timeout is for all of it, with the time that `each` takes: give a long
  /// read one of its own. Throws errc::too_large where `limits` are passed, after the rows up
  /// to there. A connection that is lost after the first row is not tried again.
  template <class Row, class Each>
    requires std::invocable<Each&, Row&&>
  std::uint64_t read_each(const statement& query, Each&& each, const call_options& options = {},
                          const stream_limits& limits = {}) {
    detail::row_stream<Row, std::remove_reference_t<Each>> rows(each, limits);
    self().run(detail::access::read, query, options, &rows);
    return rows.rows();
  }

  /// Runs a statement that may write; outside a transaction it is one of its own, committed when
  /// this returns. Result rows are dropped.
  write_result write(const statement& query, const call_options& options = {}) {
    return self().run(detail::access::write, query, options, nullptr);
  }

  /// For callers that do not know what their statements do, such as ORMs: runs one as a read, where
  /// it is certain to be one, and as a write otherwise. PostgreSQL: a read that locks nothing and
  /// calls nothing but functions that the database says are free of effects, for which it is asked
  /// once; of what is not known the primary takes care. Result rows are dropped. The options are
  /// those of whatever it is. A statement that turns out to be a write after all has two times the
  /// timeout.
  write_result execute(const statement& query, const call_options& options = {}) {
    return self().run_judged(query, options, nullptr);
  }

  /// As execute(), with the rows.
  template <class Row>
  std::vector<Row> execute(const statement& query, const call_options& options = {}) {
    scalekit::detail::row_collector<Row> rows;
    self().run_judged(query, options, &rows);
    return rows.take();
  }

  /// As write(), with the rows of its RETURNING clause.
  template <class Row>
  std::vector<Row> write(const statement& query, const call_options& options = {}) {
    scalekit::detail::row_collector<Row> rows;
    self().run(detail::access::write, query, options, &rows);
    return rows.take();
  }

  /// As write<Row>(), for exactly one row. In a transaction of its own the change stays, even
  /// when the number of rows is another and this throws.
  template <class Row>
  Row write_one(const statement& query, const call_options& options = {}) {
    auto rows = write<Row>(query, options);
    detail::require_one_row(rows.size(), query);
    return std::move(rows.front());
  }

 private:
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

}  // namespace scalekit::db
