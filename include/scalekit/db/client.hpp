#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/async_many.hpp"
#include "scalekit/db/batch.hpp"
#include "scalekit/db/client_params.hpp"
#include "scalekit/db/detail/async_calls.hpp"
#include "scalekit/db/detail/backend.hpp"
#include "scalekit/db/dialect.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/statement.hpp"
#include "scalekit/db/statistics.hpp"
#include "scalekit/db/transaction.hpp"
#include "scalekit/db/verbs.hpp"
#include "scalekit/db/write_result.hpp"

#include <boost/asio/async_result.hpp>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <memory>
#include <ranges>
#include <source_location>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace scalekit::db {
namespace detail {
struct client_access;
}

/// A database: its connections, their pools and the queue of writers.
///
/// A handle: copies are the same client, which ends with the last of them, with the last open
/// transaction, and with the last unfinished async_ call. One client a database and process is
/// what you want.
///
/// - read() runs on one of several connections that cannot write;
/// - write() and transaction() run on the one that can, in the order in which they were called,
///   blocking and async_ callers in one queue. Writes that wait there may share a commit; each is
///   acknowledged after it, and fails, times out and is cancelled by itself.
///
/// Blocking members run on the calling thread. async_ members wait for a connection without a
/// thread. On PostgreSQL they then run in the event loop of the execution given to open(), or in
/// one of the client's own; on SQLite on a thread that belongs to the connection (as many threads
/// as connections, started by the first async_ call). They complete with (std::exception_ptr, T),
/// see core/async.hpp. All throw or complete with what is listed in verbs.hpp.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT client : public verbs<client>, public async_many<client> {
 public:
  /// Opens the database that `url` names. Its query may hold any setting of client_params.
  ///
  /// - SQLite (WAL), with its first connection: `sqlite:///absolute/path`, `sqlite:relative/path`,
  ///   `sqlite::memory:`; percent-encoded where need be.
  /// - PostgreSQL, which is not connected to before the first call:
  ///   `postgresql://user@host:5432,host2/database?sslmode=require`, with libpq's keywords. Several
  ///   hosts are a primary and its replicas, in any order.
  ///
  /// Throws std::invalid_argument for a URL or a setting that can never work, naming it
  /// (PostgreSQL's too, where scalekit was built without), and scalekit::error (unavailable,
  /// corrupt, read_only, io_error, execution_timeout) for a file that cannot be opened now.
  static client open(std::string_view url, client_params params = {},
                     scalekit::execution exec = {});

  /// Starts a transaction and waits for its connection. On SQLite it is BEGIN IMMEDIATE, so that
  /// it can never fail half way for not being the first writer. `site` names it in the messages
  /// to those who wait for it.
  db::transaction begin(const transaction_options& options = {},
                        std::source_location site = std::source_location::current());

  /// Runs `body(db::transaction&)`, commits, and returns what it returned. When it throws, the
  /// transaction is rolled back and the exception goes on.
  ///
  /// A body must be fit to run more than once: where PostgreSQL says that the transaction lost
  /// against a concurrent one (SQLSTATE 40001 and 40P01), or the connection is lost and nothing can
  /// have been committed, and the scalekit::error that says so leaves the body or the commit, all
  /// of it is run again, transaction_options::max_attempts times at most. Then the error goes on,
  /// and says how often it was tried. SQLite never repeats.
  template <class Body>
  std::invoke_result_t<Body&, db::transaction&> transaction(
      Body&& body, const transaction_options& options = {},
      std::source_location site = std::source_location::current()) {
    detail::transaction_attempts attempts(options, std::chrono::steady_clock::now());
    for (;;) {
      try {
        auto tx = begin(attempts.options(), site);
        if constexpr (std::is_void_v<std::invoke_result_t<Body&, db::transaction&>>) {
          detail::run_and_commit(tx, body);
          return;
        } else {
          return detail::run_and_commit(tx, body);
        }
      } catch (...) {
        detail::wait_or_throw(attempts, *backend_, std::current_exception());
      }
    }
  }

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
  /// It is a transaction of its own.
  template <std::ranges::forward_range Range>
  std::uint64_t insert_many(const bulk_target& into, const Range& rows,
                            const insert_options& options = {},
                            std::source_location site = std::source_location::current()) {
    return transaction(
        [&](db::transaction& tx) { return tx.insert_many(into, rows, options, site); },
        {.timeout = options.timeout, .stop = options.stop}, site);
  }

  /// Changes many rows by their key, all or none, 128 to a statement on PostgreSQL, and returns how
  /// many there were. Rows and errors as in insert_many().
  template <std::ranges::forward_range Range>
  std::uint64_t update_many(const bulk_target& in, const Range& rows, const update_options& options,
                            std::source_location site = std::source_location::current()) {
    return transaction([&](db::transaction& tx) { return tx.update_many(in, rows, options, site); },
                       {.timeout = options.timeout, .stop = options.stop}, site);
  }

  /// Runs all statements of a batch, or keeps nothing of it: see db::batch. One without writes runs
  /// where read() would, by the consistency and the labels in the options; any other where write()
  /// would. The result has the rows affected by all together, and the token of the commit.
  ///
  /// The options are for all of it together: their timeout, by default the client's
  /// statement_timeout, too. Throws what verbs.hpp lists, for the first statement that failed;
  /// errc::invalid_argument for a batch without a statement. As with write(), the outcome of a
  /// batch with writes whose connection is lost once it was sent is errc::commit_in_doubt.
  write_result run(const batch& statements, const call_options& options = {},
                   std::source_location site = std::source_location::current());

  /// As transaction::copy_out(), in a read-only transaction of its own: on a replica where the
  /// options allow one. It is never repeated.
  template <std::invocable<std::string_view> Take>
  std::uint64_t copy_out(const statement& query, Take&& take, const call_options& options = {}) {
    auto tx = begin({.timeout = options.timeout,
                     .stop = options.stop,
                     .scope = options.scope,
                     .consistency = options.consistency,
                     .session = options.session,
                     .labels = options.labels,
                     .read_only = true},
                    query.site());
    const auto rows = tx.copy_out(query, std::forward<Take>(take), options);
    tx.commit();
    return rows;
  }

  /// As transaction::copy_in(), in a transaction of its own, which is never repeated.
  template <class Give>
    requires std::convertible_to<std::invoke_result_t<Give&>, std::string_view>
  std::uint64_t copy_in(const statement& query, Give&& give, const call_options& options = {}) {
    auto tx = begin({.timeout = options.timeout,
                     .stop = options.stop,
                     .scope = options.scope,
                     .session = options.session},
                    query.site());
    const auto rows = tx.copy_in(query, std::forward<Give>(give), options);
    tx.commit();
    return rows;
  }

  /// Completes with std::vector<Row>.
  template <class Row, class Token>
  auto async_read(statement query, call_options options, Token&& token) {
    return start_rows<Row>(detail::access::read, std::move(query), std::move(options),
                           std::forward<Token>(token));
  }
  template <class Row, class Token>
  auto async_read(statement query, Token&& token) {
    return start_rows<Row>(detail::access::read, std::move(query), {}, std::forward<Token>(token));
  }

  /// Completes with write_result.
  template <class Token>
  auto async_write(statement query, call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, write_result)>(
        [](auto handler, client self, statement q, call_options o) {
          auto op = detail::pending<write_result>::start(std::move(handler), self.execution());
          self.start(detail::access::write, std::move(q), std::move(o),
                     std::make_shared<detail::write_call>(std::move(op)));
        },
        token, *this, std::move(query), std::move(options));
  }
  template <class Token>
  auto async_write(statement query, Token&& token) {
    return async_write(std::move(query), call_options{}, std::forward<Token>(token));
  }

  /// Completes with std::vector<Row>: the rows of the RETURNING clause.
  template <class Row, class Token>
  auto async_write_returning(statement query, call_options options, Token&& token) {
    return start_rows<Row>(detail::access::write, std::move(query), std::move(options),
                           std::forward<Token>(token));
  }
  template <class Row, class Token>
  auto async_write_returning(statement query, Token&& token) {
    return start_rows<Row>(detail::access::write, std::move(query), {}, std::forward<Token>(token));
  }

  /// Completes with write_result; see execute().
  template <class Token>
  auto async_execute(statement query, call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, write_result)>(
        [](auto handler, client self, statement q, call_options o) {
          auto op = detail::pending<write_result>::start(std::move(handler), self.execution());
          self.start_judged(std::move(q), std::move(o),
                            std::make_shared<detail::write_call>(std::move(op)));
        },
        token, *this, std::move(query), std::move(options));
  }

  template <class Token>
  auto async_execute(statement query, Token&& token) {
    return async_execute(std::move(query), call_options{}, std::forward<Token>(token));
  }

  /// Completes with std::vector<Row>; see execute().
  template <class Row, class Token>
  auto async_execute(statement query, call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, std::vector<Row>)>(
        [](auto handler, client self, statement q, call_options o) {
          auto op = detail::pending<std::vector<Row>>::start(std::move(handler), self.execution());
          self.start_judged(std::move(q), std::move(o),
                            std::make_shared<detail::rows_call<Row>>(std::move(op)));
        },
        token, *this, std::move(query), std::move(options));
  }
  template <class Row, class Token>
  auto async_execute(statement query, Token&& token) {
    return async_execute<Row>(std::move(query), call_options{}, std::forward<Token>(token));
  }

  /// Completes with write_result; see run().
  template <class Token>
  auto async_run(const batch& statements, call_options options, Token&& token,
                 std::source_location site = std::source_location::current()) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, write_result)>(
        [](auto handler, client self, batch b, call_options o, std::source_location s) {
          auto op = detail::pending<write_result>::start(std::move(handler), self.execution());
          self.start(b, std::move(o), s, std::move(op));
        },
        token, *this, statements, std::move(options), site);
  }
  template <class Token>
  auto async_run(const batch& statements, Token&& token,
                 std::source_location site = std::source_location::current()) {
    return async_run(statements, call_options{}, std::forward<Token>(token), site);
  }

  /// As transaction(). `body` runs on a thread of the client's, with the blocking calls of its
  /// db::transaction; completes with what it returned, or scalekit::done for void. The type it
  /// returns must be default-constructible.
  template <class Body, class Token>
  auto async_transaction(Body body, transaction_options options, Token&& token,
                         std::source_location site = std::source_location::current()) {
    using T = detail::body_result<Body>;
    return boost::asio::async_initiate<Token, void(std::exception_ptr, T)>(
        [](auto handler, client self, Body b, transaction_options o, std::source_location s) {
          auto op = detail::pending<T>::start(std::move(handler), self.execution());
          std::make_shared<detail::body_call<Body>>(std::move(op), std::move(b), self.backend_,
                                                    std::move(o), s)
              ->start();
        },
        token, *this, std::move(body), std::move(options), site);
  }
  template <class Body, class Token>
  auto async_transaction(Body body, Token&& token,
                         std::source_location site = std::source_location::current()) {
    return async_transaction(std::move(body), transaction_options{}, std::forward<Token>(token),
                             site);
  }

  /// Runs a script of schema changes in one transaction: all of it or nothing.
  void run_script(std::string_view script, const transaction_options& options = {},
                  std::source_location site = std::source_location::current());

  /// Brings the part of the schema that belongs to `component` up to date, in one transaction.
  /// `steps` are scripts, oldest first, never changed once they were released: only those not yet
  /// applied are run. What was applied is recorded in the table scalekit_schema. Processes that
  /// start at the same time take turns. Returns the number of steps that were run.
  ///
  /// Throws errc::not_supported when the database has more steps than the program: the program is
  /// older than the data.
  std::size_t migrate(std::string_view component, std::span<const std::string_view> steps,
                      const transaction_options& options = {},
                      std::source_location site = std::source_location::current());

  /// Takes no new calls (errc::closed) and waits up to `timeout` for those under way; what still
  /// waits for a connection after that completes with errc::closed, and running statements are
  /// stopped with the same. Open transactions of others keep their connection until they end.
  void close(std::chrono::nanoseconds timeout = std::chrono::seconds{5});

  client_statistics statistics() const;

  /// By the URL alone: asks nobody, and holds for as long as the client lives.
  db::dialect dialect() const noexcept;

  const scalekit::execution& execution() const noexcept;

 private:
  friend class verbs<client>;
  friend class async_many<client>;
  friend class shard;
  friend struct detail::client_access;

  explicit client(std::shared_ptr<detail::backend> backend) noexcept;

  write_result run(detail::access kind, const statement& query, const call_options& options,
                   detail::row_sink* rows);
  write_result run_judged(const statement& query, const call_options& options,
                          detail::row_sink* rows);
  void start_judged(statement&& query, call_options&& options,
                    std::shared_ptr<detail::async_call> call);
  void start(detail::access kind, statement&& query, call_options&& options,
             std::shared_ptr<detail::async_call> call);
  void start(const batch& statements, call_options&& options, const std::source_location& site,
             std::shared_ptr<detail::pending<write_result>> op);

  template <class Row, class Token>
  auto start_rows(detail::access kind, statement&& query, call_options&& options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, std::vector<Row>)>(
        [](auto handler, client self, detail::access k, statement q, call_options o) {
          auto op = detail::pending<std::vector<Row>>::start(std::move(handler), self.execution());
          self.start(k, std::move(q), std::move(o),
                     std::make_shared<detail::rows_call<Row>>(std::move(op)));
        },
        token, *this, kind, std::move(query), std::move(options));
  }

  std::shared_ptr<detail::backend> backend_;
};

}  // namespace scalekit::db
