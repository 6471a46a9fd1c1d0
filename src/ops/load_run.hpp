#pragma once

#include "ops/flight_board.hpp"
#include "ops/load_connection.hpp"
#include "ops/load_tally.hpp"
#include "scalekit/ops/load_generator.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::ops::detail {

/// One run of a load_generator: the loop that takes up what is due, and what holds its parts
/// together. On one thread.
class load_run {
 public:
  /// The parameters are valid, and outlive the run.
  load_run(const load_params& params, std::stop_token stop);

  load_report run();

  // --- called by connections ---
  void on_connected(load_connection& c);
  void on_connect_failed(load_connection& c, const boost::system::error_code& why);
  void on_response(load_connection& c, flight& f);
  /// `f`: what the connection carried, or nullptr.
  void on_lost(load_connection& c, flight* f);

  /// Takes up every request that is due.
  void take_up_due();

 private:
  using tcp = boost::asio::ip::tcp;
  enum class phase { opening, running, finished };
  struct delayed_dial {
    load_connection* connection;
    time_point not_before;
  };

  void open_connections();
  void start_dials(time_point now);
  void redial(load_connection& c);
  void settle_dial();
  void begin(time_point now);
  void finish();

  void on_timer();
  void tick(time_point now);
  void expire(time_point now);
  void drop_everything(time_point now);
  void report_progress(time_point now);

  void take_up(time_point due);
  void serve(load_connection& c);
  void send_closed_loop(load_connection& c);
  void fill_in(flight& f);
  void dispatch(flight& f);
  void end(flight& f, load_outcome outcome, time_point now, unsigned status = 0,
           std::string_view body = {});
  load_report make_report(time_point now) const;

  const load_params& params_;
  std::stop_token stop_;
  std::string authority_;
  arrival_schedule schedule_;
  flight_board board_;
  load_tally tally_;

  boost::asio::io_context io_{1};
  boost::asio::steady_timer timer_{io_};
  tcp::endpoint server_;
  // After io_: sockets must be destroyed before it.
  std::deque<load_connection> connections_;

  phase phase_ = phase::opening;
  time_point opening_deadline_;
  std::deque<load_connection*> ready_dials_;
  std::vector<delayed_dial> delayed_dials_;
  std::size_t dialling_ = 0;
  std::size_t first_dials_started_ = 0;
  std::size_t first_dials_settled_ = 0;
  std::uint64_t connect_failures_ = 0;
  std::uint64_t connects_ = 0;
  std::uint64_t reconnects_ = 0;
  boost::system::error_code last_connect_error_;

  time_point begin_;
  time_point end_;
  std::optional<time_point> next_due_;
  time_point next_tick_;
  time_point next_progress_;
  bool stopped_ = false;
  std::chrono::nanoseconds cpu_at_begin_{};
  load_request request_;
};

}  // namespace scalekit::ops::detail
