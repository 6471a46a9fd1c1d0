#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/batch.hpp"
#include "scalekit/db/detail/backend.hpp"
#include "scalekit/db/verbs.hpp"

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <ranges>
#include <source_location>
#include <string_view>
#include <type_traits>
#include <utility>

namespace scalekit::db {
namespace detail {
class move_worker;
}

/// A transaction that is open until commit() or rollback(); the destructor rolls back.
///
/// Made by client::begin() or handed to the function given to client::transaction(). While it
/// lives it holds a connection; on SQLite one that may write is the only writer, so do not wait
/// in it for anything but the database.
///
/// What a statement that fails does to it depends on the database:
///
/// - On SQLite it is undone by itself and the transaction goes on. Only when a statement that
///   writes is stopped (timeout, cancellation), when the disk is full and when I/O fails is all of
///   it rolled back.
/// - On PostgreSQL the server refuses everything after it. In a savepoint() that is undone with the
///   savepoint, so let the exception leave it and go on outside; anywhere else the transaction is
///   rolled back. A row that cannot be read costs no more than its own statement.
///
/// A transaction that was rolled back is aborted: every further call throws errc::not_allowed and
/// says why; commit() too.
///
/// Thread safety: one thread at a time; it may move between threads.
class SCALEKIT_EXPORT transaction : public verbs<transaction> {
 public:
  explicit transaction(std::unique_ptr<detail::transaction_backend> tx) noexcept;
  transaction(transaction&&) noexcept;
  transaction& operator=(transaction&&) noexcept;
  ~transaction();

  /// Runs `body()` in a savepoint and returns what it returns. When it throws, what it did is
  /// undone, and the exception goes on to the caller: catch it there to continue the transaction.
  /// Savepoints nest.
  template <class Body>
  std::invoke_result_t<Body&> savepoint(Body&& body) {
    savepoint_guard guard(*this);
    if constexpr (std::is_void_v<std::invoke_result_t<Body&>>) {
      body();
      guard.release();
    } else {
      auto result = body();
      guard.release();
      return result;
    }
  }

  /// Runs all statements of a batch in the transaction, on PostgreSQL in one round trip: see
  /// db::batch and client::run(). When it throws, what the batch did is undone: on SQLite by
  /// itself, so that the transaction goes on; on PostgreSQL as with any statement that fails.
  void run(const batch& statements, const call_options& options = {},
           std::source_location site = std::source_location::current());

  /// Runs any number of statements, separated by semicolons, without parameters: schema changes.
  /// The text must not contain user input. What was done before a statement that fails stays
  /// done in the transaction. On PostgreSQL the connection is closed after it, so that nobody else
  /// finds what a `set` or a temporary table has left in its session.
  void run_script(std::string_view script);

  /// Inserts all rows of a range that can be gone through twice (std::vector, std::array, a view of
  /// one) or none, and returns how many went in. A row is a described aggregate or a std::tuple, as
  /// in core/row.hpp.
  ///
  /// On PostgreSQL 100 rows and more go by binary COPY, unless the options say what to do about
  /// conflicts, a column is an array, or a value must be read by the server (text into a uuid, an
  /// enum, a numeric): those, and fewer rows, go 128 to a statement. On SQLite each row is one run
  /// of a prepared statement. COPY fires triggers and checks constraints, but does not apply rules.
  ///
  /// Throws as verbs::write(), and errc::invalid_argument for columns that do not fit the rows.
  /// When it throws, what it inserted is undone with the transaction or the savepoint around it:
  /// let the exception leave that.
  template <std::ranges::forward_range Range>
  std::uint64_t insert_many(bulk_target into, const Range& rows, const insert_options& options = {},
                            std::source_location site = std::source_location::current()) {
    detail::range_source<const Range> source(rows);
    using members = typename detail::range_source<const Range>::members;
    return insert(detail::complete(std::move(into), members::names, members::kinds.size()), source,
                  options, site);
  }

  /// Changes many rows by their key, all or none, 128 to a statement on PostgreSQL, and returns how
  /// many there were. Rows and errors as in insert_many().
  template <std::ranges::forward_range Range>
  std::uint64_t update_many(bulk_target in, const Range& rows, const update_options& options,
                            std::source_location site = std::source_location::current()) {
    detail::range_source<const Range> source(rows);
    using members = typename detail::range_source<const Range>::members;
    return update(detail::complete(std::move(in), members::names, members::kinds.size()), source,
                  options, site);
  }

  /// Runs PostgreSQL's `copy ... to stdout` and calls `take(std::string_view)` with what it gives,
  /// in the form that the statement asks for, without ever having all of it in memory: a row at a
  /// time as text or CSV. Returns the number of rows.
  ///
  ///     tx.copy_out(sql("copy (select id, name from product) to stdout (format csv)"),
  ///                 [&](std::string_view row) { file << row; });
  ///
  /// The statement takes no parameters. Options and errors as for verbs::read(), but the time is
  /// what the transaction has; errc::not_supported on SQLite. When `take` throws, or the call is
  /// stopped, the connection is given up, and the transaction with it. `take` must not use the
  /// transaction; while it runs, neither the time nor a stop ends the call.
  template <std::invocable<std::string_view> Take>
  std::uint64_t copy_out(const statement& query, Take&& take, const call_options& options = {}) {
    return copy_to(query, std::ref(take), options);
  }

  /// Runs `copy ... from stdin`, with what `give()` returns: pieces, cut anywhere, until an empty
  /// one, each valid until the next call. It is asked as fast as the server takes them. When `give`
  /// throws, nothing was copied. For rows from memory there is insert_many(). Otherwise as
  /// copy_out().
  template <class Give>
    requires std::convertible_to<std::invoke_result_t<Give&>, std::string_view>
  std::uint64_t copy_in(const statement& query, Give&& give, const call_options& options = {}) {
    return copy_from(query, std::ref(give), options);
  }

  /// Waits for a lock that belongs to this transaction alone until it ends: for what must not be
  /// done twice at the same time and is no row. `key` is any number that those who take turns
  /// agree on; several locks are best taken in the same order by all. To take it again is harmless.
  ///
  /// On PostgreSQL it is pg_advisory_xact_lock() and holds in the whole database; SQLite's
  /// transactions that may write exclude each other anyway, so that there it does nothing. Throws
  /// as a statement does, with execution_timeout when it was not free in time; errc::not_allowed in
  /// a read-only transaction on SQLite, which excludes nobody.
  void lock(std::int64_t key, const call_options& options = {},
            std::source_location site = std::source_location::current());
  /// Does not wait: false when another transaction has it.
  bool try_lock(std::int64_t key, const call_options& options = {},
                std::source_location site = std::source_location::current());

  /// Makes it durable. When it throws, nothing was committed and the transaction is over; with
  /// errc::commit_in_doubt (never on SQLite) that is not known. Its result carries the token.
  ///
  /// When the connection to PostgreSQL is lost before the answer, the server is asked on another
  /// connection what became of it, for what is left of the transaction's time, 5 s at least: it was
  /// committed, and this returns; or rolled back, and this throws errc::connection_lost. It is in
  /// doubt when the server cannot be reached, is not the same any more (another system, another
  /// timeline after a promotion, or crashed meanwhile so that its ids mean nothing), or does not
  /// know it.
  write_result commit();

  /// Undoes it; no effect when it is over.
  void rollback() noexcept;

  /// False after commit() and rollback(), when aborted, and when moved from.
  bool is_open() const noexcept;

 private:
  friend class verbs<transaction>;
  friend class detail::move_worker;

  class SCALEKIT_EXPORT savepoint_guard {
   public:
    explicit savepoint_guard(transaction& tx);
    ~savepoint_guard();
    savepoint_guard(const savepoint_guard&) = delete;
    savepoint_guard& operator=(const savepoint_guard&) = delete;
    void release();

   private:
    transaction& tx_;
    bool released_ = false;
  };

  std::uint64_t insert(const bulk_target& into, detail::row_source& rows,
                       const insert_options& options, const std::source_location& site);
  std::uint64_t update(const bulk_target& in, detail::row_source& rows,
                       const update_options& options, const std::source_location& site);
  std::uint64_t copy_to(const statement& query,
                        const detail::transaction_backend::piece_taker& take,
                        const call_options& options);
  std::uint64_t copy_from(const statement& query,
                          const detail::transaction_backend::piece_giver& give,
                          const call_options& options);
  write_result run(detail::access kind, const statement& query, const call_options& options,
                   detail::row_sink* rows);
  write_result run_judged(const statement& query, const call_options& options,
                          detail::row_sink* rows);

  std::unique_ptr<detail::transaction_backend> tx_;
};

}  // namespace scalekit::db
