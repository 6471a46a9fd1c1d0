#pragma once

#include "db/postgres/backend.hpp"
#include "db/postgres/reactor_port.hpp"
#include "db/postgres/second_chance.hpp"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

namespace scalekit::db::postgres {

/// A statement on a connection of its own, in an event loop: what backend::run() does, without a
/// thread that waits.
///
/// It lives until its call is finished; what may end it keeps it alive. After start(), everything
/// happens on the strand of its connection.
class async_statement : public std::enable_shared_from_this<async_statement> {
 public:
  /// `frame` is of `options`, wherever they are before this.
  async_statement(std::shared_ptr<backend> owner, detail::access kind, statement&& query,
                  call_options&& options, const detail::call_frame& frame,
                  statement_entry_ptr known, std::shared_ptr<detail::async_call> call);

  void start();

 private:
  using stop_callback = std::stop_callback<std::function<void()>>;

  void begin();
  void ask_for_host();
  void have_host(std::exception_ptr e, host_ptr at);
  void ask_for_connection(host_ptr at);
  void have(std::exception_ptr e, lent_connection lent);
  void talk();
  void wait();
  void on_ready();
  void interrupt(wait_end why);
  void watch();
  void fail(std::exception_ptr e, detail::returned how);
  bool may_run_again(const std::exception_ptr& e);
  void finish(std::exception_ptr e, detail::returned how);

  const std::shared_ptr<backend> backend_;
  const detail::access kind_;
  const statement query_;
  const call_options options_;
  const std::shared_ptr<detail::async_call> call_;
  const std::stop_token also_stop_;
  const boost::asio::any_io_executor loop_;
  const loop_strand strand_;
  detail::call_frame frame_;
  const statement_entry_ptr entry_;
  host_ptr at_;
  call_on_host under_way_;
  lent_connection lent_;
  std::optional<statement_call> talk_;
  std::optional<boost::asio::steady_timer> timer_;
  std::optional<stop_callback> on_stop_, on_also_stop_, on_close_;
  second_chance chance_;
  bool initiating_ = true;
  bool finished_ = false;
  /// Set while a write whose time is over is waited for.
  std::exception_ptr interrupted_;
};

}  // namespace scalekit::db::postgres
