#include "db/sqlite/backend.hpp"
#include "db/sqlite/paced_rows.hpp"
#include "db/sqlite/transaction.hpp"

#include <boost/asio/post.hpp>

#include <optional>
#include <utility>

// Calls without a thread of their caller's: they wait in the same queues, then run on a thread of
// the pool's.

namespace scalekit::db::sqlite {

using detail::access;
using detail::lease;
using std::chrono::steady_clock;

void sqlite_backend::async_run(access kind, statement&& query, call_options&& options,
                               std::shared_ptr<detail::async_call> call) {
  fork_guard_.check("db::client");
  if (closing_.load(std::memory_order_relaxed)) {
    boost::asio::post(exec_.completion_executor(),
                      [call, e = std::make_exception_ptr(closed_error())]() mutable {
                        call->finish(std::move(e), {});
                      });
    return;
  }
  if (kind == access::write && shares_commits()) {
    return async_write(std::move(query), std::move(options), std::move(call));
  }
  auto frame = frame_of(options, settings_.params.statement_timeout);
  auto request = request_for(query.site(), frame, false);
  auto stop = options.stop;
  auto& group = group_for(kind);
  auto run = [self = shared_from_this(), &group, kind, query = std::move(query),
              options = std::move(options), call, frame](std::exception_ptr e, lease lent) mutable {
    write_result result;
    if (!e) {
      auto also_stop = call->stop();
      frame.acquired = steady_clock::now();
      frame.stops = {&options.stop, &also_stop};
      frame.scope = &options.scope;
      try {
        throw_if_stopped(options.stop, query.site());
        throw_if_stopped(also_stop, query.site());
        auto* rows = call->rows();
        std::optional<paced_rows> paced;
        if (detail::is_stream(rows)) rows = &paced.emplace(*call, self->limits_of(frame));
        result = self->run_with(std::move(lent), group, kind, query, rows, frame);
      } catch (...) {
        e = std::current_exception();
      }
    } else {
      frame.scope = &options.scope;
      self->track_refusal(query, frame, e);
    }
    call->finish(std::move(e), std::move(result));
  };
  group.pool->async_take(request, std::move(stop), call->stop(), std::move(run));
}

void sqlite_backend::async_begin(transaction_options options, const std::source_location& site,
                                 std::shared_ptr<detail::async_transaction_call> call) {
  fork_guard_.check("db::client");
  if (closing_.load(std::memory_order_relaxed)) {
    boost::asio::post(exec_.completion_executor(),
                      [call, e = std::make_exception_ptr(closed_error())]() mutable {
                        call->fail(std::move(e));
                      });
    return;
  }
  auto frame = frame_of(options, settings_.params.transaction_timeout);
  auto request = request_for(site, frame, true);
  auto stop = options.stop;
  auto& pool = *group_for(options.read_only ? access::read : access::write).pool;
  auto run = [self = shared_from_this(), options = std::move(options), call, frame, site](
                 std::exception_ptr e, lease lent) mutable {
    std::unique_ptr<detail::transaction_backend> tx;
    if (!e) {
      auto also_stop = call->stop();
      // The options have moved since the frame was made.
      frame.stops = {&options.stop, &also_stop};
      frame.scope = &options.scope;
      try {
        throw_if_stopped(options.stop, site);
        throw_if_stopped(also_stop, site);
        tx = self->start_transaction(std::move(lent), frame, options, also_stop);
      } catch (...) {
        e = std::current_exception();
      }
    }
    tx ? call->run(std::move(tx)) : call->fail(std::move(e));
  };
  pool.async_take(request, std::move(stop), call->stop(), std::move(run));
}

}  // namespace scalekit::db::sqlite
