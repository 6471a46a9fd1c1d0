#pragma once

#include "scalekit/adapters/cached.hpp"
#include "scalekit/adapters/detail/cached_rows.hpp"
#include "scalekit/cache/store.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/options.hpp"
#include "scalekit/db/statement.hpp"

#include <boost/asio/associator.hpp>

#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace scalekit::adapters::detail {

class result_cache_state;

/// A write of this process has ended; see result_cache::wrote().
SCALEKIT_EXPORT void announce(result_cache_state& to, const std::vector<std::string>& tables,
                              const std::exception_ptr& failure, const db::write_result& done);

/// One read through the cache, between the calls of the store: whoever makes it, blocking or not,
/// asks the store for key(), with load() as the loader, and tells finish() what came of it. Where
/// is_past() is true or finish() is false, the rows are then read past the cache.
///
/// Object lifetimes: keeps references to all that it is given.
class SCALEKIT_EXPORT cached_call {
 public:
  cached_call(std::shared_ptr<result_cache_state> state, const cached& how,
              const db::statement& query, const db::call_options& options, row_port& rows);
  ~cached_call();
  cached_call(const cached_call&) = delete;
  cached_call& operator=(const cached_call&) = delete;

  /// The cache cannot answer.
  bool is_past() const noexcept { return key_.empty(); }

  const std::string& key() const noexcept { return key_; }
  cache::store& store() const noexcept;
  cache::call_options patience() const { return {.timeout = until_.remaining()}; }

  /// Reads the rows from the database, and returns what the store is to give to others.
  std::string load(const cache::load_context& context);

  /// True: the rows are there. Throws what the caller is to get.
  bool finish(std::exception_ptr failure, const cache::lookup<std::string>& found);

  // Past the cache: blocking, or by what is needed to do the same without.

  void read_past();

  db::client& client() const noexcept;
  /// The caller's options with the time that is left, and the floor.
  db::call_options past() const;
  /// Whether a read with past() that failed so is to be repeated with rest(), and, where that
  /// succeeds, lost_floor() be told.
  bool may_be_lost_floor(const std::exception_ptr& failure) const;
  /// The caller's options with the time that is left.
  db::call_options rest() const;
  void lost_floor();

 private:
  struct plan;

  /// Empty: the cache cannot answer.
  std::string find_key();
  void fill(const cache::load_context& context);
  void read(db::call_options options);
  db::consistency with_floor() const;
  std::string unkept(std::string bytes);

  std::shared_ptr<result_cache_state> state_;
  const cached& how_;
  const db::statement& query_;
  const db::call_options& options_;
  row_port& rows_;
  const deadline until_;
  std::unique_ptr<plan> plan_;
  const std::string key_;
  /// Its own loader has run, so that the rows are in place.
  std::atomic<bool> led_{false};
  /// How that ended.
  std::exception_ptr failure_;
};

/// A read without a thread that waits for it, with what it refers to.
template <class Row>
struct async_cached_read {
  async_cached_read(std::shared_ptr<result_cache_state> state, cached h, db::statement q,
                    db::call_options o)
      : how(std::move(h)),
        query(std::move(q)),
        options(std::move(o)),
        call(std::move(state), how, query, options, rows) {}

  const cached how;
  const db::statement query;
  const db::call_options options;
  typed_rows<Row> rows;
  cached_call call;
};

/// Completes with what a read past the cache completed with, or with that of a second.
template <class Row, class Handler>
struct past_read_handler {
  Handler handler;
  std::shared_ptr<async_cached_read<Row>> read;
  bool is_second = false;

  static void start(Handler handler, std::shared_ptr<async_cached_read<Row>> read) {
    auto& from = *read;
    from.call.client().template async_read<Row>(
        from.query, from.call.past(), past_read_handler{std::move(handler), std::move(read)});
  }

  void operator()(std::exception_ptr failure, std::vector<Row> rows) {
    if (!is_second && read->call.may_be_lost_floor(failure)) {
      auto& from = *read;
      from.call.client().template async_read<Row>(
          from.query, from.call.rest(),
          past_read_handler{std::move(handler), std::move(read), true});
      return;
    }
    if (is_second && !failure) read->call.lost_floor();
    std::move(handler)(std::move(failure), std::move(rows));
  }
};

/// Turns what a lookup in the store completed with into rows.
template <class Row, class Handler>
struct cached_read_handler {
  Handler handler;
  std::shared_ptr<async_cached_read<Row>> read;

  void operator()(std::exception_ptr failure, const cache::lookup<std::string>& found) {
    bool is_there = false;
    try {
      is_there = read->call.finish(std::move(failure), found);
    } catch (...) {
      std::move(handler)(std::current_exception(), std::vector<Row>{});
      return;
    }
    if (is_there) {
      std::move(handler)(std::exception_ptr{}, std::move(read->rows.rows));
    } else {
      past_read_handler<Row, Handler>::start(std::move(handler), std::move(read));
    }
  }
};

/// Tells of a write before its caller hears of it.
template <class Handler>
struct announcing_handler {
  Handler handler;
  std::shared_ptr<result_cache_state> state;
  std::vector<std::string> tables;

  void operator()(std::exception_ptr failure, db::write_result done) {
    announce(*state, tables, failure, done);
    std::move(handler)(std::move(failure), std::move(done));
  }
};

}  // namespace scalekit::adapters::detail

/// The wrapped handlers keep their executor, allocator and cancellation slot.
template <template <class, class> class Associator, class Row, class Handler, class Default>
struct boost::asio::associator<
    Associator, scalekit::adapters::detail::cached_read_handler<Row, Handler>, Default>
    : Associator<Handler, Default> {
  static auto get(const auto& wrapped) noexcept {
    return Associator<Handler, Default>::get(wrapped.handler);
  }
  static auto get(const auto& wrapped, const Default& d) noexcept {
    return Associator<Handler, Default>::get(wrapped.handler, d);
  }
};

template <template <class, class> class Associator, class Row, class Handler, class Default>
struct boost::asio::associator<Associator,
                               scalekit::adapters::detail::past_read_handler<Row, Handler>, Default>
    : Associator<Handler, Default> {
  static auto get(const auto& wrapped) noexcept {
    return Associator<Handler, Default>::get(wrapped.handler);
  }
  static auto get(const auto& wrapped, const Default& d) noexcept {
    return Associator<Handler, Default>::get(wrapped.handler, d);
  }
};

template <template <class, class> class Associator, class Handler, class Default>
struct boost::asio::associator<Associator, scalekit::adapters::detail::announcing_handler<Handler>,
                               Default> : Associator<Handler, Default> {
  static auto get(const auto& wrapped) noexcept {
    return Associator<Handler, Default>::get(wrapped.handler);
  }
  static auto get(const auto& wrapped, const Default& d) noexcept {
    return Associator<Handler, Default>::get(wrapped.handler, d);
  }
};
