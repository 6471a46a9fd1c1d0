#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/db/bulk.hpp"
#include "scalekit/db/detail/each_call.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/read_each.hpp"
#include "scalekit/db/statement.hpp"
#include "scalekit/db/transaction.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>
#include <ranges>
#include <source_location>
#include <utility>

namespace scalekit::db {

/// The calls of a client for many rows that have no thread that waits.
template <class Self>
class async_many {
 public:
  /// As read_each(), with `each` on the handler's executor: completes with std::uint64_t, how many
  /// rows there were.
  ///
  /// Rows come in batches, of 256 rows or some 64 KiB: the next is fetched once `each` has had all
  /// of the last, so that no more are in memory however slow it is. It must not block; after each
  /// millisecond of rows others on the executor get their turn. It is called by one thread at a
  /// time, never after the completion, and destroyed before it.
  ///
  /// What it throws stops the statement and is what the call completes with. After a stop, by the
  /// options or by the cancellation slot, it gets no further row. The timeout is for all of it, but
  /// for the last batch, whose statement is over. Rows that came before a failure go to `each`.
  ///
  /// `each` and the handler may drop the client. The client's executor and the handler's must
  /// outlive the call.
  template <class Row, class Each, class Token>
    requires std::invocable<Each&, Row&&>
  auto async_read_each(statement query, Each each, call_options options, stream_limits limits,
                       Token&& token) {
    return boost::asio::async_initiate<Token, void(std::exception_ptr, std::uint64_t)>(
        [](auto handler, Self on, statement q, Each e, call_options o, const stream_limits& l) {
          auto where =
              boost::asio::get_associated_executor(handler, on.execution().completion_executor());
          auto op = detail::pending<std::uint64_t>::start(std::move(handler), on.execution());
          auto call = std::make_shared<detail::each_call<Row, Each, decltype(where)>>(
              std::move(op), std::move(where), std::move(e), l, o.stop, q.site());
          on.start(detail::access::read, std::move(q), std::move(o), std::move(call));
        },
        token, self(), std::move(query), std::move(each), std::move(options), limits);
  }
  template <class Row, class Each, class Token>
  auto async_read_each(statement query, Each each, call_options options, Token&& token) {
    return async_read_each<Row>(std::move(query), std::move(each), std::move(options), {},
                                std::forward<Token>(token));
  }
  template <class Row, class Each, class Token>
  auto async_read_each(statement query, Each each, Token&& token) {
    return async_read_each<Row>(std::move(query), std::move(each), {}, {},
                                std::forward<Token>(token));
  }

  /// As insert_many(), as an async_transaction(). The rows are moved, or copied, into the call;
  /// what a view of them refers to must outlive it. Completes with std::uint64_t.
  template <std::ranges::forward_range Range, class Token>
  auto async_insert_many(bulk_target into, Range rows, insert_options options, Token&& token,
                         std::source_location site = std::source_location::current()) {
    transaction_options limits{.timeout = options.timeout, .stop = options.stop};
    return self().async_transaction(
        [into = std::move(into), rows = std::move(rows), options = std::move(options),
         site](db::transaction& tx) { return tx.insert_many(into, rows, options, site); },
        std::move(limits), std::forward<Token>(token), site);
  }
  template <std::ranges::forward_range Range, class Token>
  auto async_insert_many(bulk_target into, Range rows, Token&& token,
                         std::source_location site = std::source_location::current()) {
    return async_insert_many(std::move(into), std::move(rows), insert_options{},
                             std::forward<Token>(token), site);
  }

  /// As update_many(), as an async_transaction(). Otherwise as async_insert_many().
  template <std::ranges::forward_range Range, class Token>
  auto async_update_many(bulk_target in, Range rows, update_options options, Token&& token,
                         std::source_location site = std::source_location::current()) {
    transaction_options limits{.timeout = options.timeout, .stop = options.stop};
    return self().async_transaction(
        [in = std::move(in), rows = std::move(rows), options = std::move(options),
         site](db::transaction& tx) { return tx.update_many(in, rows, options, site); },
        std::move(limits), std::forward<Token>(token), site);
  }

 private:
  Self& self() noexcept { return static_cast<Self&>(*this); }
};

}  // namespace scalekit::db
