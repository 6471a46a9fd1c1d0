#pragma once

#include "scalekit/core/error.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/batch.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/db/detail/shard_set.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/shard_key.hpp"
#include "scalekit/db/shard_transaction.hpp"
#include "scalekit/db/statement.hpp"
#include "scalekit/db/verbs.hpp"
#include "scalekit/db/write_result.hpp"

#include <memory>
#include <source_location>
#include <string>
#include <type_traits>
#include <utility>

namespace scalekit::db {

/// Whether a write was refused because its keys are moving to another shard or have moved there:
/// nothing was changed, and it is worth trying again. Blocking calls do so by themselves.
SCALEKIT_EXPORT bool is_moving(const error& e) noexcept;

namespace detail {

/// Runs `body` and makes sure, before the commit, that the shard was the right one to its end.
template <class Body>
auto run_on_shard(transaction& tx, shard_set& set, const shard_place& at, const shard_key& key,
                  Body& body) {
  shard_transaction keyed(tx, at.by.map, at.name);
  if constexpr (std::is_void_v<std::invoke_result_t<Body&, shard_transaction&>>) {
    body(keyed);
    set.require_place(at, key);
  } else {
    auto result = body(keyed);
    set.require_place(at, key);
    return result;
  }
}

}  // namespace detail

/// The shard of one key: reads, writes and transactions as of a client (verbs.hpp), wherever the
/// key lies when they are called. A blocking write that meets a switch waits for its end, up to
/// shards_params::switch_wait, and then goes to the new shard; errc::conflict when it does not end.
/// A blocking call that has outlived the lease of the map, and whose key was moved meanwhile, is
/// run again at the new shard: a read, a write or batch that changed no row, and a transaction
/// before its commit. Of async_ calls only transactions are checked so: let them end within the
/// lease.
///
/// Causal tokens and sessions are of one database each: after a move a session has to begin anew.
///
/// A handle, cheap to make: one a key and call is fine. It keeps the clients alive.
///
/// Thread safety: every member may be called from any thread. On an I/O thread, async_ members
/// fail with errc::not_allowed when the lease of the map is over; see shards::refresh().
class SCALEKIT_EXPORT shard : public verbs<shard> {
 public:
  /// Where the key lies now.
  std::string name() const { return set_->place(key_).name; }
  /// The same as a client: nothing that it does is tried again.
  db::client client() const { return set_->place(key_).client; }

  /// As client::run(), on this shard alone: let all statements of the batch be about this key. When
  /// one of them meets a switch, all of it goes to the new shard.
  write_result run(const batch& statements, const call_options& options = {},
                   std::source_location site = std::source_location::current());

  /// As client::transaction(), with a body that takes db::shard_transaction&. It may be run again
  /// on another shard, when it wrote to keys that are moving.
  template <class Body>
  std::invoke_result_t<Body&, shard_transaction&> transaction(
      Body&& body, const transaction_options& options = {},
      std::source_location site = std::source_location::current()) {
    detail::switch_attempts attempts(*set_, options.timeout);
    for (;;) {
      auto at = set_->place(key_);
      auto again = options;
      again.timeout = attempts.timeout();
      try {
        return at.client.transaction(
            [&](db::transaction& tx) { return detail::run_on_shard(tx, *set_, at, key_, body); },
            again, site);
      } catch (const error& e) {
        attempts.wait_or_rethrow(e, at);
      }
    }
  }

  /// Each as the client's member of that name; is_moving() errors are yours to handle.
  template <class Row, class Token>
  auto async_read(statement query, call_options options, Token&& token) {
    return client().template async_read<Row>(std::move(query), std::move(options),
                                             std::forward<Token>(token));
  }
  template <class Row, class Token>
  auto async_read(statement query, Token&& token) {
    return async_read<Row>(std::move(query), call_options{}, std::forward<Token>(token));
  }
  template <class Token>
  auto async_write(statement query, call_options options, Token&& token) {
    return client().async_write(std::move(query), std::move(options), std::forward<Token>(token));
  }
  template <class Token>
  auto async_write(statement query, Token&& token) {
    return async_write(std::move(query), call_options{}, std::forward<Token>(token));
  }
  template <class Token>
  auto async_run(const batch& statements, call_options options, Token&& token,
                 std::source_location site = std::source_location::current()) {
    return client().async_run(statements, std::move(options), std::forward<Token>(token), site);
  }
  template <class Token>
  auto async_run(const batch& statements, Token&& token,
                 std::source_location site = std::source_location::current()) {
    return async_run(statements, call_options{}, std::forward<Token>(token), site);
  }
  /// `body` takes db::shard_transaction&.
  template <class Body, class Token>
  auto async_transaction(Body body, transaction_options options, Token&& token,
                         std::source_location site = std::source_location::current()) {
    auto at = set_->place(key_);
    auto to = at.client;
    return to.async_transaction(
        [set = set_, at = std::move(at), key = key_, body = std::move(body)](
            db::transaction& tx) mutable { return detail::run_on_shard(tx, *set, at, key, body); },
        std::move(options), std::forward<Token>(token), site);
  }
  template <class Body, class Token>
  auto async_transaction(Body body, Token&& token,
                         std::source_location site = std::source_location::current()) {
    return async_transaction(std::move(body), transaction_options{}, std::forward<Token>(token),
                             site);
  }

 private:
  friend class verbs<shard>;
  friend class shards;

  shard(std::shared_ptr<detail::shard_set> set, shard_key key) noexcept
      : set_(std::move(set)), key_(std::move(key)) {}

  write_result run(detail::access kind, const statement& query, const call_options& options,
                   detail::row_sink* rows);
  write_result run_judged(const statement& query, const call_options& options,
                          detail::row_sink* rows);
  template <class Call>
  write_result routed(detail::access kind, const call_options& options, detail::row_sink* rows,
                      Call call);

  std::shared_ptr<detail::shard_set> set_;
  shard_key key_;
};

}  // namespace scalekit::db
