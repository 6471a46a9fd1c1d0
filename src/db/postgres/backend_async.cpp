#include "db/postgres/async_begin.hpp"
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

bool backend::admit_async(const std::shared_ptr<detail::async_call>& call) {
  fork_guard_.check("db::client");
  if (!is_closing()) return true;
  refuse(call, std::make_exception_ptr(closed_error()));
  return false;
}

void backend::refuse(const std::shared_ptr<detail::async_call>& call, std::exception_ptr e) {
  boost::asio::post(io_->executor(),
                    [call, e = std::move(e)]() mutable { call->finish(std::move(e), {}); });
}

void backend::async_run(access kind, statement&& query, call_options&& options,
                        std::shared_ptr<detail::async_call> call) {
  if (!admit_async(call)) return;
  try {
    const auto frame = detail::frame_of(options, settings_.params.statement_timeout);
    auto entry = entry_for(query, kind);
    // As in run_once().
    const bool may_join = kind == access::read && !detail::is_stream(call->rows());
    if (may_join && start_in_lane(query, options, frame, entry, call)) return;
    std::make_shared<async_statement>(shared_from_this(), kind, std::move(query),
                                      std::move(options), frame, std::move(entry), call)
        ->start();
  } catch (...) {
    refuse(call, std::current_exception());
  }
}

bool backend::start_in_lane(statement& query, call_options& options,
                            const detail::call_frame& frame, const statement_entry_ptr& entry,
                            const std::shared_ptr<detail::async_call>& call) {
  if (settings_.params.lanes == 0) return false;
  auto route = router_.to_read(options, frame, query.site());
  const auto to = router_.try_find(route);
  if (!to || !may_share(to.at, query, entry, frame.begun)) return false;
  const auto& through = to.at->lanes.pick([this] { return io_->executor(); });
  std::make_shared<async_lane_read>(shared_from_this(), to, std::move(query), std::move(options),
                                    frame, entry, call)
      ->start(through);
  return true;
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
  std::make_shared<postgres::async_begin>(shared_from_this(), std::move(options), site,
                                          std::move(call))
      ->start();
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
