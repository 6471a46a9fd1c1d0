#pragma once

#include "scalekit/adapters/cached.hpp"
#include "scalekit/adapters/detail/cached_call.hpp"
#include "scalekit/adapters/result_cache_params.hpp"
#include "scalekit/adapters/result_cache_statistics.hpp"
#include "scalekit/cache/store.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/client.hpp"

#include <boost/asio/async_result.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace scalekit::adapters {

/// Keeps the results of reads until a table that they come from is changed.
///
///     adapters::result_cache shop(client, store, {.listen_url = url});
///     const adapters::cached by_category{cache::ttl::product, {"product", "stock"}};
///
///     auto sofas = shop.read<product>(by_category, sql("select ... where category = $1", "sofa"));
///     shop.write(sql("update stock set amount = amount - 1 where id = $1", 7), {"stock"});
///
/// What it promises, on replicas that lag, while connections break and servers are promoted:
///
/// 1. Whoever of the process has written through write() or transaction(), or told of a write with
///    wrote(): every later read through this cache sees it. (Not one with consistency::bounded that
///    goes past the cache. Once a promotion has lost acknowledged writes, reads past the cache see
///    what their own consistency asks for.)
/// 2. A change by anybody else, where the tables have the triggers of change_triggers.hpp, is seen
///    by every read that begins after its notice was heard, which takes a round trip; and in any
///    case by those that begin max_staleness after it was acknowledged. (A read past the cache sees
///    what its consistency asks for.)
/// 3. consistency and session are honoured as by client::read(): a read after(token) never gets
///    what was read below that token. What cannot be known to be new enough is asked of the
///    database, and everything is with consistency::primary().
///
/// 1 needs no clock, no triggers and no listener. 2, and 3 for writes of other processes, rest on
/// the triggers; the log tells of a table that has none. Changes that fire none are seen when the
/// time to live is over: altered tables, refreshed materialized views, logical replication, and
/// what the statement takes from the clock.
///
/// Results are kept in `store`, of which only the memory tier is of use: give it a store without
/// files, of its own or shared with others. Of those who want the same result at the same time one
/// reads it, and the others wait. The key is the statement's text, its parameters, the tables and
/// the columns of Row. Whatever else results depend on must be the same on every connection of the
/// client: the search path, the role that policies look at.
///
/// A handle: copies are the same cache. With listen_url it has the thread of a db::listener, from
/// its making until the last handle is gone, and asks the primary for its position by async_ calls
/// of the client, whose executor must therefore run.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT result_cache {
 public:
  /// Throws std::invalid_argument for settings out of range, naming the field, and
  /// errc::not_supported for a listen_url that is not PostgreSQL's.
  result_cache(db::client client, cache::store store, result_cache_params params);

  /// As client::read(): all rows, in the order of the result. Row's types must survive being
  /// stored: a codec of yours is used in both directions.
  ///
  /// A call that waits for another's read of the same does so until its timeout, whatever its stop
  /// token says; when that one is cancelled or runs out of time, this one reads itself. Other
  /// errors of it reach all who wait. Throws as client::read(), and errc::acquire_timeout when the
  /// other's read took longer than its own timeout.
  template <class Row>
  std::vector<Row> read(const cached& how, const db::statement& query,
                        const db::call_options& options = {}) {
    detail::typed_rows<Row> rows;
    run(how, query, options, rows);
    return std::move(rows.rows);
  }

  /// The only row. Throws errc::not_found for none and errc::too_large for several.
  template <class Row>
  Row read_one(const cached& how, const db::statement& query,
               const db::call_options& options = {}) {
    auto rows = read<Row>(how, query, options);
    db::detail::require_one_row(rows.size(), query);
    return std::move(rows.front());
  }

  /// The only row, if there is one. Throws errc::too_large for several.
  template <class Row>
  std::optional<Row> read_optional(const cached& how, const db::statement& query,
                                   const db::call_options& options = {}) {
    auto rows = read<Row>(how, query, options);
    db::detail::require_at_most_one_row(rows.size(), query);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  }

  /// Completes with std::vector<Row>. What is kept is found without leaving the handler's executor;
  /// a read for the cache runs on the work executor of the store. Who waits for another's read may
  /// be cancelled by its slot.
  template <class Row, class Token>
  auto async_read(cached how, db::statement query, db::call_options options, Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, std::vector<Row>)>(
        [](auto handler, std::shared_ptr<detail::result_cache_state> state, cached h,
           db::statement q, db::call_options o) {
          using handler_type = std::decay_t<decltype(handler)>;
          auto read = std::make_shared<detail::async_cached_read<Row>>(
              std::move(state), std::move(h), std::move(q), std::move(o));
          if (read->call.is_past()) {
            detail::past_read_handler<Row, handler_type>::start(std::move(handler), read);
            return;
          }
          read->call.store().template async_get_or_load<std::string>(
              read->call.key(), read->how.how(),
              [read](const cache::load_context& context) { return read->call.load(context); },
              read->call.patience(),
              detail::cached_read_handler<Row, handler_type>{std::move(handler), read});
        },
        token, state_, std::move(how), std::move(query), std::move(options));
  }
  template <class Row, class Token>
  auto async_read(cached how, db::statement query, Token&& token) {
    return async_read<Row>(std::move(how), std::move(query), db::call_options{},
                           std::forward<Token>(token));
  }

  /// As client::write(), of a statement that changes `tables`: those that its triggers and cascades
  /// change as well.
  db::write_result write(const db::statement& query, const std::vector<std::string>& tables,
                         const db::call_options& options = {});

  /// Completes with db::write_result.
  template <class Token>
  auto async_write(db::statement query, std::vector<std::string> tables, db::call_options options,
                   Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, db::write_result)>(
        [](auto handler, result_cache self, db::statement q, std::vector<std::string> t,
           db::call_options o) {
          using handler_type = std::decay_t<decltype(handler)>;
          self.client().async_write(std::move(q), std::move(o),
                                    detail::announcing_handler<handler_type>{
                                        std::move(handler), self.state_, std::move(t)});
        },
        token, *this, std::move(query), std::move(tables), std::move(options));
  }
  template <class Token>
  auto async_write(db::statement query, std::vector<std::string> tables, Token&& token) {
    return async_write(std::move(query), std::move(tables), db::call_options{},
                       std::forward<Token>(token));
  }

  /// As client::transaction(), of one that changes `tables`. Its own reads are not cached.
  template <class Body>
  auto transaction(Body&& body, const std::vector<std::string>& tables,
                   db::transaction_options options = {},
                   std::source_location site = std::source_location::current()) {
    announcement told(*this, tables, options.session);
    if constexpr (std::is_void_v<std::invoke_result_t<Body&, db::transaction&>>) {
      told.run([&] { client().transaction(body, options, site); });
    } else {
      std::optional<std::invoke_result_t<Body&, db::transaction&>> result;
      told.run([&] { result.emplace(client().transaction(body, options, site)); });
      return *std::move(result);
    }
  }

  /// Tells of a write that was made otherwise, after it was acknowledged: by client::write(), with
  /// its result's token; in a transaction, with that of its commit or of its session; in another
  /// process, with the token that came from there. An empty token is one that is not known. Does
  /// not wait. Throws errc::invalid_argument for what is no token.
  void wrote(const std::vector<std::string>& tables, std::string_view token);
  void wrote(const std::vector<std::string>& tables, const db::write_result& done) {
    wrote(tables, done.token());
  }

  result_cache_statistics statistics() const;

 private:
  /// Runs what writes in a session of its own, and tells of the token that it got.
  class SCALEKIT_EXPORT announcement {
   public:
    /// `session` is replaced, and hears of the token as well.
    announcement(result_cache& to, const std::vector<std::string>& tables,
                 std::optional<db::session>& session);
    template <class Write>
    void run(Write write) {
      try {
        write();
      } catch (...) {
        failed(std::current_exception());
        throw;
      }
      done();
    }

   private:
    void done();
    void failed(const std::exception_ptr& failure);

    result_cache& to_;
    const std::vector<std::string>& tables_;
    std::optional<db::session> theirs_;
    db::session ours_;
  };

  db::client& client() noexcept;
  void run(const cached& how, const db::statement& query, const db::call_options& options,
           detail::row_port& rows);

  std::shared_ptr<detail::result_cache_state> state_;
};

}  // namespace scalekit::adapters
