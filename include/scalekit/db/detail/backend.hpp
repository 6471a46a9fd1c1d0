#pragma once

#include "scalekit/core/error.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/row.hpp"
#include "scalekit/db/bulk.hpp"
#include "scalekit/db/dialect.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/statement.hpp"
#include "scalekit/db/statistics.hpp"
#include "scalekit/db/write_result.hpp"

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

// The seam between the face (client, transaction: templates over row types) and a driver. What a
// driver promises here is tested by tests/conformance/db_suite.hpp.

namespace scalekit::db::detail {

using scalekit::detail::row_sink;

/// Whether a statement may change anything.
enum class access { read, write };

class batch_member;
using batch_members = std::vector<std::shared_ptr<batch_member>>;

/// An open transaction. One thread at a time. The destructor rolls back, and gives the connection
/// back, without waiting for anybody.
class SCALEKIT_EXPORT transaction_backend {
 public:
  virtual ~transaction_backend() = default;

  /// `rows` may be null for a write: result rows are then dropped.
  virtual write_result run(access kind, const statement& query, const call_options& options,
                           row_sink* rows) = 0;
  /// Runs all and sets their results, or fails and keeps nothing of them.
  virtual void run(const batch_members& members, const call_options& options,
                   const std::source_location& site) = 0;
  virtual void run_script(std::string_view script) = 0;
  virtual access kind_of(const statement& query) = 0;

  /// Takes an advisory lock until the end. False when it is taken and `wait` is not.
  virtual bool lock(std::int64_t key, bool wait, const call_options& options,
                    const std::source_location& site) = 0;

  /// Inserts all rows at once, faster than by statements; nothing, and no row was taken, where it
  /// cannot or is not worth it.
  virtual std::optional<std::uint64_t> copy_in(const bulk_target&, row_source&, const call_options&,
                                               const std::source_location&) {
    return std::nullopt;
  }
  /// Runs a statement that is COPY, and takes what it gives, or gives what it takes: pieces until
  /// an empty one. Both return the number of rows.
  using piece_taker = std::function<void(std::string_view)>;
  using piece_giver = std::function<std::string_view()>;
  virtual std::uint64_t copy_out(const statement& query, const piece_taker& take,
                                 const call_options& options);
  virtual std::uint64_t copy_in(const statement& query, const piece_giver& give,
                                const call_options& options);
  /// How many rows of a bulk write go into one statement at most.
  virtual std::size_t rows_per_insert() const noexcept { return 1; }

  /// Savepoints are numbered by depth, outermost 1.
  virtual void savepoint() = 0;
  virtual void release_savepoint() = 0;
  virtual void rollback_to_savepoint() noexcept = 0;

  virtual write_result commit() = 0;
  virtual void rollback() noexcept = 0;
  virtual bool is_open() const noexcept = 0;
};

/// A statement under way without a thread of its caller's. Shared by the driver until finish().
class async_call {
 public:
  virtual ~async_call() = default;
  virtual row_sink* rows() noexcept = 0;
  virtual std::stop_token stop() const noexcept = 0;
  /// For rows() that are full: has them consumed and calls `then` when they are, on any thread,
  /// with what went wrong, which is to end the call. finish() may be called before that; not `then`
  /// any more where the caller's executor is gone: it is destroyed.
  using consumed = std::function<void(std::exception_ptr)>;
  virtual void hand_over(consumed then) noexcept { then(nullptr); }
  /// Exactly once, and never inside the function that started the call. What rows() still hold is
  /// consumed first.
  virtual void finish(std::exception_ptr e, write_result done) noexcept = 0;
};

/// Whether rows are to be handed over as they come, on a connection that nobody else reads from.
inline bool is_stream(const row_sink* rows) noexcept {
  return rows != nullptr && rows->takes_as_they_come();
}

/// A transaction under way without a thread of its caller's.
class async_transaction_call {
 public:
  virtual ~async_transaction_call() = default;
  virtual std::stop_token stop() const noexcept = 0;
  /// On a thread of the driver, which it may block: the transaction has begun. Or else:
  virtual void run(std::unique_ptr<transaction_backend> tx) noexcept = 0;
  /// It could not begin. One of the two is called, once, never inside the function that started
  /// the call.
  virtual void fail(std::exception_ptr e) noexcept = 0;
};

class backend {
 public:
  virtual ~backend() = default;

  virtual write_result run(access kind, const statement& query, const call_options& options,
                           row_sink* rows) = 0;
  virtual void async_run(access kind, statement&& query, call_options&& options,
                         std::shared_ptr<async_call> call) = 0;

  /// Runs all, as one transaction, and sets their results. Returns what they did together.
  virtual write_result run(const batch_members& members, const call_options& options,
                           const std::source_location& site) = 0;
  virtual void async_run(batch_members members, call_options&& options,
                         const std::source_location& site, std::shared_ptr<async_call> call) = 0;

  /// What execute() runs a statement as: `read` only where it is certain to have no effect. Does
  /// not wait.
  virtual access kind_of(const statement& query) = 0;
  /// Whether a statement that kind_of() called a read, and that failed with `e`, has had no effect
  /// and may be run as a write.
  virtual bool is_write_after_all(const statement& query, const error& e) = 0;

  virtual std::unique_ptr<transaction_backend> begin(const transaction_options& options,
                                                     const std::source_location& site) = 0;
  virtual void async_begin(transaction_options options, const std::source_location& site,
                           std::shared_ptr<async_transaction_call> call) = 0;

  /// Whether a transaction that failed with `e` has left nothing behind, and may succeed when all
  /// of it is run again.
  virtual bool is_retryable(const error&) const noexcept { return false; }
  /// Of a call whose options name none.
  virtual std::chrono::nanoseconds statement_timeout() const noexcept = 0;
  /// Of a transaction whose options name none.
  virtual std::chrono::nanoseconds transaction_timeout() const noexcept = 0;
  /// Calls `then` after `pause`, without a thread that waits, on a thread where it must not block.
  /// Only asked of drivers that find something retryable.
  virtual void call_after(std::chrono::nanoseconds, std::function<void()> then) { then(); }

  virtual db::dialect dialect() const noexcept = 0;
  virtual void close(std::chrono::nanoseconds timeout) = 0;
  virtual client_statistics statistics() const = 0;
  virtual const scalekit::execution& execution() const noexcept = 0;
};

/// Throws errc::not_found for no row, errc::too_large for several.
SCALEKIT_EXPORT void require_one_row(std::size_t rows, const statement& query);

/// Throws errc::too_large for several rows.
SCALEKIT_EXPORT void require_at_most_one_row(std::size_t rows, const statement& query);

}  // namespace scalekit::db::detail
