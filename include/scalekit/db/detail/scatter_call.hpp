#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/detail/merge_rows.hpp"
#include "scalekit/db/detail/shard_set.hpp"
#include "scalekit/db/scatter.hpp"
#include "scalekit/db/statement.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/system_executor.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace scalekit::db::detail {

/// Throws errc::invalid_argument for options out of range, errc::not_allowed for a read without a
/// key while the map has a move.
SCALEKIT_EXPORT void check_scatter(const shard_map& map, unsigned fan_out,
                                   const std::optional<std::size_t>& limit, bool has_key,
                                   bool has_session);
/// What a read of `asked` shards fails with, `failed` being in the order of the failures. Those
/// that were cancelled because of others are not named.
SCALEKIT_EXPORT error scatter_failure(const std::vector<shard_failure>& failed, std::size_t asked);
[[noreturn]] SCALEKIT_EXPORT void throw_wrong_order(const statement& query,
                                                    const std::string& shard);
[[noreturn]] SCALEKIT_EXPORT void throw_outlived_map(const statement& query);

/// One statement on its way to all shards and back.
template <class Row>
class scatter_call : public std::enable_shared_from_this<scatter_call<Row>> {
 public:
  scatter_call(std::shared_ptr<shard_set> set, statement query, scatter_options<Row> options)
      : set_(std::move(set)),
        query_(std::move(query)),
        options_(std::move(options)),
        until_(deadline::after(options_.call.timeout.value_or(std::chrono::seconds{5}))),
        by_(set_->current()),
        names_(by_.map->names()) {
    check_scatter(*by_.map, options_.fan_out, options_.limit, bool(options_.key),
                  options_.call.session.has_value());
    rows_.resize(names_.size());
  }

  /// `when_done` is called once, on a thread of a driver, where it must not block.
  void start(std::function<void()> when_done, const std::stop_token& also_stop) {
    when_done_ = std::move(when_done);
    const auto weak = this->weak_from_this();
    auto stop_all = [weak] {
      if (auto self = weak.lock()) self->stop_.request_stop();
    };
    on_stop_.emplace(options_.call.stop, stop_all);
    on_also_stop_.emplace(also_stop, stop_all);
    const auto first = std::min<std::size_t>(options_.fan_out, names_.size());
    running_ = next_ = first;
    for (std::size_t i = 0; i < first; ++i) ask(i, options_.limit.value_or(0));
  }

  /// After it is done. Merges; throws what the call fails with.
  scatter_result<Row> take() {
    const bool none_left = failures_.size() == names_.size();
    if (!failures_.empty() && (none_left || options_.on_failure == partial_failure::all_or_error)) {
      throw scatter_failure(failures_, names_.size());
    }
    if (!set_->is_within_lease(by_)) throw_outlived_map(query_);
    if (options_.order_by) {
      for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (!std::ranges::is_sorted(rows_[i], options_.order_by)) {
          throw_wrong_order(query_, names_[i]);
        }
      }
    }
    constexpr auto all = std::numeric_limits<std::size_t>::max();
    return {merge_rows(rows_, options_.order_by, options_.limit.value_or(all)),
            std::move(failures_)};
  }

 private:
  void ask(std::size_t i, std::size_t limit) {
    try {
      auto query = query_;
      if (options_.limit) query.bind(static_cast<std::int64_t>(limit));
      auto call = options_.call;
      call.timeout = until_.remaining();
      call.stop = stop_.get_token();
      // Completes where the driver is done, not behind whatever the executor of the client is
      // doing: that may be to wait for this very call.
      auto from = set_->client_of(names_[i]);
      from.template async_read<Row>(
          std::move(query), std::move(call),
          boost::asio::bind_executor(boost::asio::system_executor(),
                                     [self = this->shared_from_this(), i, limit](
                                         std::exception_ptr e, std::vector<Row> rows) {
                                       self->answered(i, limit, std::move(e), std::move(rows));
                                     }));
    } catch (...) {
      answered(i, limit, std::current_exception(), {});
    }
  }

  void answered(std::size_t i, std::size_t limit, std::exception_ptr e, std::vector<Row> rows) {
    const auto got = rows.size();
    try {
      if (!e && by_.map->move()) {
        std::erase_if(rows, [&](const Row& row) {
          return by_.map->shard_of(options_.key(row)) != names_[i];
        });
      }
    } catch (...) {
      e = std::current_exception();
    }
    // Rows that do not count took the place of some that do.
    if (!e && options_.limit && rows.size() < *options_.limit && got == limit &&
        got > rows.size()) {
      return ask(i, limit * 2);
    }
    bool stops = false, asks = false, is_done = false;
    std::size_t next = 0;
    {
      const std::lock_guard lock(mutex_);
      if (e) {
        failures_.push_back({names_[i], to_error(e)});
        stops = options_.on_failure == partial_failure::all_or_error && !stopped_;
        stopped_ |= stops;
      } else {
        rows_[i] = std::move(rows);
      }
      asks = !stopped_ && next_ < names_.size();
      if (asks) {
        next = next_++;
      } else {
        is_done = --running_ == 0;
      }
    }
    if (stops) stop_.request_stop();
    if (asks) ask(next, options_.limit.value_or(0));
    // Moved out: it may hold this call.
    if (is_done) std::exchange(when_done_, nullptr)();
  }

  using stop_watch = std::stop_callback<std::function<void()>>;

  const std::shared_ptr<shard_set> set_;
  const statement query_;
  const scatter_options<Row> options_;
  const deadline until_;
  const known_map by_;
  const std::vector<std::string> names_;
  std::stop_source stop_;
  std::function<void()> when_done_;
  std::optional<stop_watch> on_stop_;
  std::optional<stop_watch> on_also_stop_;

  std::mutex mutex_;
  std::size_t next_ = 0;
  std::size_t running_ = 0;
  bool stopped_ = false;
  std::vector<std::vector<Row>> rows_;
  std::vector<shard_failure> failures_;
};

}  // namespace scalekit::db::detail
