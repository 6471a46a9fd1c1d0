#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/core/detail/post.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/db/detail/scatter_call.hpp"
#include "scalekit/db/detail/shard_set.hpp"
#include "scalekit/db/scatter.hpp"
#include "scalekit/db/shard.hpp"
#include "scalekit/db/shard_key.hpp"
#include "scalekit/db/shard_map.hpp"
#include "scalekit/db/shards_params.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::db {

/// Several databases that together hold what is too much for one: each row lies on the shard that
/// a map names for its key.
///
///     db::shards shop({{"one", one}, {"two", two}}, db::shard_map::by_hash({"one", "two"}));
///     auto mine = shop.on(customer).read<order>(sql("... where customer = $1", customer));
///     auto dear = shop.read_all<order>(sql("... order by price desc limit $1"),
///                                      {.order_by = db::descending(&order::price), .limit = 10});
///
/// Calls on one shard are transactions as ever. Nothing is atomic over several: a transaction that
/// needs another shard fails, and a read of all sees each as of its own moment.
///
/// A handle: copies are the same shards.
///
/// Thread safety: every member may be called from any thread.
class SCALEKIT_EXPORT shards {
 public:
  using named_clients = detail::named_clients;

  /// With a map of this process' own. Throws errc::invalid_argument when the map names a shard that
  /// has no client, and for one that is named twice.
  shards(named_clients clients, shard_map map);

  /// With the map that is stored in `home`, which all processes share; `first` is stored when there
  /// is none yet. Creates the tables for it, in `home` alone. Blocks. Throws as the constructor and
  /// as client::migrate() do.
  static shards open(named_clients clients, client home, shard_map first,
                     shards_params params = {});

  /// The shard of a key. No I/O, and no error yet: they come with its calls.
  shard on(shard_key key) const { return {set_, std::move(key)}; }

  /// A shard by its name, for what has no key: schema changes. Throws errc::not_found.
  client on_shard(std::string_view name) const { return set_->client_of(name); }

  /// The newest map that is known here.
  std::shared_ptr<const shard_map> map() const { return set_->current().map; }

  /// Calls that begin after it go by `next`, whose version must be higher than the map's, and, of a
  /// stored one, higher by one. No rows are moved: for a map that is to become true in another way,
  /// such as shards that are added empty. Throws errc::conflict when somebody else was faster, and
  /// errc::not_allowed while a move is under way.
  void replace_map(shard_map next);

  /// Looks the stored map up, as calls do by themselves when it is due. On an event loop call it
  /// from elsewhere before the first use.
  void refresh() { set_->refresh(); }

  /// One read on all shards, `scatter_options::fan_out` at a time. Blocks. Throws as verbs::read(),
  /// what scatter_options says, and errc::conflict for a read that took longer than the map's
  /// lease. Each shard sees at least what was written through this client of it.
  template <class Row>
  scatter_result<Row> read_all(const statement& query, scatter_options<Row> options = {}) const {
    io_thread_mark::check_blocking_allowed("db::shards::read_all");
    auto call = std::make_shared<detail::scatter_call<Row>>(set_, query, std::move(options));
    auto is_done = std::make_shared<std::promise<void>>();
    call->start([is_done] { is_done->set_value(); }, {});
    is_done->get_future().wait();
    return call->take();
  }

  /// Completes with scatter_result<Row>.
  template <class Row, class Token>
  auto async_read_all(statement query, scatter_options<Row> options, Token&& token) const {
    using result = scatter_result<Row>;
    return boost::asio::async_initiate<Token, void(std::exception_ptr, result)>(
        [](auto handler, std::shared_ptr<detail::shard_set> set, statement q,
           scatter_options<Row> o) {
          const auto exec = set->clients().begin()->second.execution();
          auto op = detail::pending<result>::start(std::move(handler), exec);
          // The merge may take a while: not on a thread of a driver.
          const auto behind = exec.completion_executor();
          try {
            auto call =
                std::make_shared<detail::scatter_call<Row>>(set, std::move(q), std::move(o));
            auto done = [behind, op, call] {
              scalekit::detail::post_from_outside(behind, [op, call] { finish(*op, *call); });
            };
            call->start(std::move(done), op->stop_token());
          } catch (...) {
            boost::asio::post(behind,
                              [op, e = std::current_exception()] { op->complete(e, result{}); });
          }
        },
        token, set_, std::move(query), std::move(options));
  }

 private:
  friend class range_move;

  explicit shards(std::shared_ptr<detail::shard_set> set) noexcept : set_(std::move(set)) {}

  template <class Result, class Call>
  static void finish(detail::pending<Result>& op, Call& call) {
    std::exception_ptr failure;
    std::optional<Result> value;
    try {
      value.emplace(call.take());
    } catch (...) {
      failure = std::current_exception();
    }
    op.complete(std::move(failure), value ? *std::move(value) : Result{});
  }

  std::shared_ptr<detail::shard_set> set_;
};

}  // namespace scalekit::db
