#include "db/postgres/async_statement.hpp"
#include "db/postgres/lane_read.hpp"
#include "db/postgres/sqlstate.hpp"
#include "db/postgres/transaction.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <utility>

// Calls without a thread of their caller's.

namespace scalekit::db::postgres {

using detail::access;

void backend::async_run(access kind, statement query, call_options options,
                        std::shared_ptr<detail::async_call> call) {
  fork_guard_.check("db::client");
  if (is_closing()) {
    boost::asio::post(io_->executor(),
                      [call, e = std::make_exception_ptr(closed_error())]() mutable {
                        call->finish(std::move(e), {});
                      });
    return;
  }
  if (kind == access::read && settings_.params.lanes > 0 && start_in_lane(query, options, call)) {
    return;
  }
  std::make_shared<async_statement>(shared_from_this(), kind, std::move(query), std::move(options),
                                    std::move(call))
      ->start();
}

bool backend::start_in_lane(statement& query, call_options& options,
                            std::shared_ptr<detail::async_call>& call) {
  try {
    const auto frame = detail::frame_of(options, settings_.params.statement_timeout);
    auto entry = entry_for(query, access::read);
    const auto at = reader(options, frame);
    if (!may_share(at, entry, frame.begun)) return false;
    const auto& through = at->lanes.pick([this] { return io_->executor(); });
    std::make_shared<async_lane_read>(shared_from_this(), std::move(query), std::move(options),
                                      frame, std::move(entry), call)
        ->start(through);
    return true;
  } catch (...) {
    boost::asio::post(io_->executor(), [call, e = std::current_exception()]() mutable {
      call->finish(std::move(e), {});
    });
    return true;
  }
}

void backend::async_begin(transaction_options options, const std::source_location& site,
                          std::shared_ptr<detail::async_transaction_call> call) {
  fork_guard_.check("db::client");
  if (is_closing()) {
    boost::asio::post(io_->executor(),
                      [call, e = std::make_exception_ptr(closed_error())]() mutable {
                        call->fail(std::move(e));
                      });
    return;
  }
  auto frame = detail::frame_of(options, settings_.params.transaction_timeout);
  const auto patience =
      earlier(deadline::after(settings_.params.acquire_timeout, frame.begun), frame.until);
  const auto stop = options.stop;
  host_ptr at;
  try {
    at = options.read_only ? reader(as_call(options), frame) : writer();
  } catch (...) {
    boost::asio::post(io_->executor(), [call, e = std::current_exception()] { call->fail(e); });
    return;
  }
  auto run = [self = shared_from_this(), at, options = std::move(options), call, site,
              until = frame.until](std::exception_ptr e, lent_connection lent) mutable {
    if (e) return call->fail(std::move(e));
    lent->port.reset();
    auto body = [self, at, options = std::move(options), call, site, until,
                 lent = std::make_shared<lent_connection>(std::move(lent))]() mutable {
      std::unique_ptr<detail::transaction_backend> tx;
      std::exception_ptr failure;
      try {
        detail::throw_if_stopped(options.stop, site);
        detail::throw_if_stopped(call->stop(), site);
        tx = std::make_unique<transaction>(self, at, std::move(*lent), until, options, call->stop(),
                                           site);
      } catch (...) {
        failure = std::current_exception();
      }
      tx ? call->run(std::move(tx)) : call->fail(std::move(failure));
    };
    try {
      self->runners_.post_work(std::move(body));
    } catch (...) {
      call->fail(std::current_exception());
    }
  };
  at->pool->async_take({site, true, {}}, frame.begun, patience.when(), stop, call->stop(),
                       std::move(run));
}

bool backend::is_retryable(const error& e) const noexcept {
  if (is_closing() || is_forked()) return false;
  if (e.code() == errc::connection_lost) return true;
  return e.code() == errc::conflict && is_retryable_transaction(e.diag().backend_code);
}

void backend::call_after(std::chrono::nanoseconds pause, std::function<void()> then) {
  auto timer = std::make_shared<boost::asio::steady_timer>(io_->executor(), pause);
  auto* waiting = timer.get();
  waiting->async_wait([timer = std::move(timer), then = std::move(then)](auto) { then(); });
}

}  // namespace scalekit::db::postgres
