#include "db/postgres/async_begin.hpp"
#include "db/postgres/async_statement.hpp"

#include <boost/asio/post.hpp>

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
  std::make_shared<async_statement>(shared_from_this(), kind, std::move(query), std::move(options),
                                    std::move(call))
      ->start();
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
  std::make_shared<postgres::async_begin>(shared_from_this(), runners_, std::move(options), site,
                                          std::move(call))
      ->start();
}

}  // namespace scalekit::db::postgres
