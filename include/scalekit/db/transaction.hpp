#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/detail/backend.hpp"
#include "scalekit/db/verbs.hpp"

#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace scalekit::db {

/// A transaction that is open until commit() or rollback(); the destructor rolls back.
///
/// Made by client::begin() or handed to the function given to client::transaction(). While it
/// lives it holds a connection; on SQLite one that may write is the only writer, so do not wait
/// in it for anything but the database.
///
/// A statement that fails is undone by itself, and the transaction goes on; it is aborted, as a
/// whole, when the backend can only answer by rolling it back: on SQLite when a statement that
/// writes is stopped (timeout, cancellation), when the disk is full and when I/O fails. Every
/// further call then throws errc::not_allowed and says why; commit() too.
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

  /// Runs any number of statements, separated by semicolons, without parameters: schema changes.
  /// The text must not contain user input. What was done before a statement that fails stays
  /// done in the transaction.
  void run_script(std::string_view script);

  /// Makes it durable. When it throws, nothing was committed and the transaction is over; with
  /// errc::commit_in_doubt (never on SQLite) that is not known. Its result carries the token.
  write_result commit();

  /// Undoes it; no effect when it is over.
  void rollback() noexcept;

  /// False after commit() and rollback(), when aborted, and when moved from.
  bool is_open() const noexcept;

 private:
  friend class verbs<transaction>;

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

  write_result run(detail::access kind, const statement& query, const call_options& options,
                   detail::row_sink* rows);
  write_result run_judged(const statement& query, const call_options& options,
                          detail::row_sink* rows);

  std::unique_ptr<detail::transaction_backend> tx_;
};

}  // namespace scalekit::db
