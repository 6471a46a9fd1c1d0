#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/detail/post.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/db/client.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <utility>
#include <vector>

namespace scalekit::db {

struct loader_params {
  /// How many keys one statement asks for at most. Default 500. Range 1 to 10000.
  std::size_t max_keys = 500;

  /// How many statements run at the same time. While they do, keys gather for the next. Default 2:
  /// one is read while the other runs. Range 1 to 100.
  unsigned max_reads = 2;

  /// Of every statement. Its timeout is also how long load() waits at most (default: as long as the
  /// statements take, each the client's statement_timeout).
  call_options options = {};
};

namespace detail {

/// Throws std::invalid_argument.
SCALEKIT_EXPORT void validate(const loader_params& params);
[[noreturn]] SCALEKIT_EXPORT void throw_load_timeout();
SCALEKIT_EXPORT std::exception_ptr load_cancelled();
SCALEKIT_EXPORT std::exception_ptr several_rows_of_a_key();

}  // namespace detail

/// Turns reads of single keys, made at about the same time in many places, into few statements.
///
///     db::loader<std::int64_t, product> products(
///         shop,
///         [](const std::vector<std::int64_t>& ids) {
///           return sql("select id, name, price from product where id = any($1)", ids);
///         },
///         &product::id);
///     auto sofa = products.load(1);  // std::optional<product>
///
/// What is asked for while the event loop runs the handlers that are ready, or while max_reads
/// statements are under way, goes into one statement, each key once. There is no cache: a load
/// never sees anything older than its own call. SQLite has no arrays: there the statement can be
/// `... where id in (select value from json_each($1))`, with a JSON text bound.
///
/// A handle: copies are the same loader, which lives until its last load is done.
///
/// Thread safety: every member may be called from any thread; `statement_for` and `key_of` too are
/// called from several.
template <class K, class V, class Hash = std::hash<K>>
class loader {
 public:
  using key_list = std::vector<K>;

  /// `statement_for(keys)` is a statement that returns the rows of those keys; `key_of(row)`, which
  /// may be a pointer to member, says whose a row is. Throws std::invalid_argument.
  template <class StatementFor, class KeyOf>
  loader(client from, StatementFor statement_for, KeyOf key_of, loader_params params = {})
      : state_(std::make_shared<state>(std::move(from), std::move(params), std::move(statement_for),
                                       std::move(key_of))) {
    detail::validate(state_->params);
  }

  /// The row of `key`, or nothing. Throws what read() throws (all that share a statement get its
  /// error), errc::execution_timeout, and errc::too_large where the statement returned several rows
  /// of this key. Blocks; runs the statement itself when nobody else does.
  std::optional<V> load(const K& key) {
    io_thread_mark::check_blocking_allowed("db::loader::load");
    auto self = std::make_shared<blocking_waiter>();
    state_->add(key, self, true);
    state_->lead(*self);
    if (self->failure) std::rethrow_exception(self->failure);
    return std::move(self->value);
  }

  /// Completes with std::optional<V>. Cancellation lets the others go on.
  template <class Token>
  auto async_load(K key, Token&& token) {
    using result = std::optional<V>;
    return boost::asio::async_initiate<Token, void(std::exception_ptr, result)>(
        [](auto handler, std::shared_ptr<state> s, K k) {
          const auto& exec = s->from.execution();
          auto loop = boost::asio::get_associated_executor(handler, exec.completion_executor());
          auto self = std::make_shared<async_waiter>(
              detail::pending<result>::start(completion_handler<result>(std::move(handler)), exec));
          s->add(k, self, false);
          self->watch();
          // Behind the handlers that are ready now, which may ask for more.
          scalekit::detail::post_from_outside(loop, [s] { s->pump(); });
        },
        token, state_, std::move(key));
  }

 private:
  struct waiter {
    virtual ~waiter() = default;
    virtual void finish(std::exception_ptr e, std::optional<V> found) = 0;
  };
  using waiter_ptr = std::shared_ptr<waiter>;

  struct blocking_waiter final : waiter {
    void finish(std::exception_ptr e, std::optional<V> found) override {
      failure = std::move(e);
      value = std::move(found);
      done = true;
    }
    // Under the state's mutex.
    std::exception_ptr failure;
    std::optional<V> value;
    bool done = false;
  };

  struct async_waiter final : waiter, std::enable_shared_from_this<async_waiter> {
    explicit async_waiter(std::shared_ptr<detail::pending<std::optional<V>>> p)
        : op(std::move(p)) {}
    void watch() {
      on_stop.emplace(op->stop_token(), [weak = this->weak_from_this()] {
        if (auto self = weak.lock()) self->finish(detail::load_cancelled(), {});
      });
    }
    void finish(std::exception_ptr e, std::optional<V> found) override {
      if (!finished.exchange(true)) op->complete(std::move(e), std::move(found));
    }
    std::shared_ptr<detail::pending<std::optional<V>>> op;
    std::atomic<bool> finished{false};
    std::optional<std::stop_callback<std::function<void()>>> on_stop;
  };

  struct batch {
    key_list keys;
    std::unordered_map<K, std::vector<waiter_ptr>, Hash> waiters;
    /// A thread in load() waits for it, and will run it: an event loop that did could need that
    /// very thread for its completion.
    bool has_leader = false;
  };

  struct state : std::enable_shared_from_this<state> {
    template <class StatementFor, class KeyOf>
    state(client c, loader_params p, StatementFor statement_for, KeyOf key)
        : from(std::move(c)),
          params(std::move(p)),
          statement_of(std::move(statement_for)),
          key_of([key = std::move(key)](const V& row) -> K { return std::invoke(key, row); }) {}

    void add(const K& key, waiter_ptr w, bool leads) {
      std::lock_guard lock(mutex);
      if (waiting.empty() || waiting.back().keys.size() >= params.max_keys) waiting.emplace_back();
      auto& last = waiting.back();
      auto& of_key = last.waiters[key];
      if (of_key.empty()) last.keys.push_back(key);
      of_key.push_back(std::move(w));
      last.has_leader |= leads;
    }

    /// Under the mutex: the batch whose turn it is.
    std::optional<batch> take() {
      if (waiting.empty() || reading >= params.max_reads) return std::nullopt;
      std::optional<batch> next(std::move(waiting.front()));
      waiting.pop_front();
      ++reading;
      return next;
    }

    /// Starts what may be started, without waiting for it.
    void pump() {
      for (;;) {
        std::unique_lock lock(mutex);
        if (waiting.empty() || waiting.front().has_leader) return;
        auto next = take();
        lock.unlock();
        if (!next) return;
        auto shared = std::make_shared<batch>(std::move(*next));
        try {
          from.template async_read<V>(
              statement_of(shared->keys), params.options,
              [self = this->shared_from_this(), shared](std::exception_ptr e, std::vector<V> rows) {
                self->finish(*shared, std::move(e), std::move(rows));
                self->pump();
              });
        } catch (...) {
          finish(*shared, std::current_exception(), {});
        }
      }
    }

    /// Reads on the calling thread until `mine` is done.
    void lead(const blocking_waiter& mine) {
      const auto until =
          deadline::after(params.options.timeout.value_or(deadline::max_timeout)).when();
      std::unique_lock lock(mutex);
      while (!mine.done) {
        auto next = take();
        if (!next) {
          const bool in_time = changed.wait_until(lock, until, [&] {
            return mine.done || (!waiting.empty() && reading < params.max_reads);
          });
          if (in_time) continue;
          for (auto& each : waiting) each.has_leader = false;
          lock.unlock();
          pump();
          detail::throw_load_timeout();
        }
        lock.unlock();
        std::vector<V> rows;
        std::exception_ptr failure;
        try {
          rows = from.template read<V>(statement_of(next->keys), params.options);
        } catch (...) {
          failure = std::current_exception();
        }
        finish(*next, std::move(failure), std::move(rows));
        lock.lock();
      }
      // Whoever came by async_load() meanwhile waits for somebody to go on.
      lock.unlock();
      pump();
    }

    void finish(batch& done, std::exception_ptr e, std::vector<V> rows) {
      std::unordered_map<K, std::size_t, Hash> found;
      constexpr auto several = static_cast<std::size_t>(-1);
      try {
        for (std::size_t i = 0; !e && i < rows.size(); ++i) {
          auto [at, is_new] = found.try_emplace(key_of(rows[i]), i);
          if (!is_new) at->second = several;
        }
      } catch (...) {
        e = std::current_exception();
      }
      std::vector<std::function<void()>> later;
      std::unique_lock lock(mutex);
      --reading;
      for (auto& [key, waiters] : done.waiters) {
        auto failure = e;
        std::optional<V> value;
        if (const auto at = found.find(key); !e && at != found.end()) {
          if (at->second == several) {
            failure = detail::several_rows_of_a_key();
          } else {
            value = rows[at->second];
          }
        }
        for (auto& w : waiters) {
          if (dynamic_cast<blocking_waiter*>(w.get()) != nullptr) {
            w->finish(failure, value);
          } else {
            later.push_back([w, failure, value] { w->finish(failure, value); });
          }
        }
      }
      lock.unlock();
      changed.notify_all();
      // Handlers may run inside.
      for (auto& each : later) each();
    }

    client from;
    loader_params params;
    std::function<statement(const key_list&)> statement_of;
    std::function<K(const V&)> key_of;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<batch> waiting;
    unsigned reading = 0;
  };

  std::shared_ptr<state> state_;
};

}  // namespace scalekit::db
