#pragma once

#include "db/postgres/backend.hpp"
#include "db/postgres/reactor_port.hpp"
#include "db/postgres/second_chance.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/container/small_vector.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <stop_token>
#include <vector>

namespace scalekit::db::postgres {

/// A statement, or a batch of them, on a connection of its own, in an event loop: what
/// backend::run() does, without a thread that waits.
///
/// It lives until its call is finished; what may end it keeps it alive. After start(), everything
/// happens on the strand of its connection.
class async_statement : public std::enable_shared_from_this<async_statement> {
 public:
  /// `frame` is of `options`, wherever they are before this.
  async_statement(std::shared_ptr<backend> owner, detail::access kind, statement&& query,
                  call_options&& options, const detail::call_frame& frame,
                  statement_entry_ptr known, std::shared_ptr<detail::async_call> call);
  /// `members` are of `batch`.
  async_statement(std::shared_ptr<backend> owner, detail::batch_members&& batch,
                  std::vector<call_member> members, const std::source_location& site,
                  call_options&& options, const detail::call_frame& frame,
                  std::shared_ptr<detail::async_call> call);

  ~async_statement() {
    // Its executor is gone. Once it was finished others read from the link.
    if (!finished_) let_go();
  }
  async_statement(const async_statement&) = delete;
  async_statement& operator=(const async_statement&) = delete;

  /// It failed on that host already. To be called before start().
  void failed_on(detail::host_id host) noexcept { chance_.failed_on(host); }
  void start();

 private:
  async_statement(std::shared_ptr<backend> owner, detail::access kind,
                  std::optional<statement>&& query, detail::batch_members&& batch,
                  const std::source_location& site, call_options&& options,
                  const detail::call_frame& frame, std::shared_ptr<detail::async_call> call);

  using stop_callback = std::stop_callback<std::function<void()>>;

  void begin();
  void ask_for_host();
  void have_host(std::exception_ptr e, destination to);
  void ask_for_connection(destination to);
  void have(std::exception_ptr e, lent_connection lent);
  void look_again(const misrouted& m);
  void talk();
  void wait();
  void on_ready();
  void hand_over();
  void handed_over(std::exception_ptr e);
  void interrupt(wait_end why);
  void watch();
  void fail(std::exception_ptr e, detail::returned how);
  bool may_run_again(const std::exception_ptr& e);
  void finish(std::exception_ptr e, detail::returned how);
  /// Of rows that are still under way, before others read from the link.
  void let_go() noexcept {
    if (talk_) talk_->let_go();
  }

  const std::shared_ptr<backend> backend_;
  const detail::access kind_;
  /// One of them.
  const std::optional<statement> query_;
  const detail::batch_members batch_;
  const std::source_location site_;
  boost::container::small_vector<call_member, 1> members_;
  const call_options options_;
  const std::shared_ptr<detail::async_call> call_;
  const std::stop_token also_stop_;
  const boost::asio::any_io_executor loop_;
  const loop_strand strand_;
  detail::call_frame frame_;
  destination to_;
  call_on_host under_way_;
  lent_connection lent_;
  std::optional<statement_call> talk_;
  std::optional<boost::asio::steady_timer> timer_;
  std::optional<stop_callback> on_stop_, on_also_stop_, on_close_;
  second_chance chance_;
  bool initiating_ = true;
  bool finished_ = false;
  /// Nothing is read while rows are consumed.
  bool handing_over_ = false;
  /// Set while a write whose time is over is waited for.
  std::exception_ptr interrupted_;
};

}  // namespace scalekit::db::postgres
