#pragma once

#include "ops/flight_board.hpp"
#include "ops/response_reader.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace scalekit::ops::detail {

class load_run;

/// One keep-alive connection of a load run: connects, writes one request, reads its response, and
/// tells the run. A read is always pending, so that a close by the server is noticed when it
/// happens.
class load_connection {
 public:
  using tcp = boost::asio::ip::tcp;

  /// `local`: the address to connect from, if it matters.
  load_connection(load_run& run, boost::asio::io_context& io, std::size_t index,
                  std::optional<boost::asio::ip::address> local, std::size_t capture);

  std::size_t index() const noexcept { return index_; }
  bool is_open() const noexcept { return state_ == state::open; }
  flight* current() const noexcept { return current_; }

  /// Dials; ends in load_run::on_connected or on_connect_failed. Precondition: closed.
  void connect(const tcp::endpoint& to, time_point give_up);

  /// For the run's tick: gives up a dial that takes too long.
  void check_dial(time_point now);

  /// Writes the flight's bytes. Ends in load_run::on_response or on_lost. Precondition: open and
  /// without a flight. False if the first byte could not be written; on_lost was called.
  bool send(flight& f);

  /// Closes at once; nothing is reported. The flight, if any, is the caller's to end.
  void abandon();

  /// When it may be dialled again after it was closed, seen from `now`.
  time_point retry_at(time_point now) const;

  const response_reader& reader() const noexcept { return reader_; }

 private:
  enum class state { closed, dialling, open };

  void on_dialled(const boost::system::error_code& ec);
  void fail_dial(const boost::system::error_code& ec);
  void read();
  void on_read(const boost::system::error_code& ec, std::size_t n);
  void write_rest();
  bool consume();
  void finish_response(bool keep_alive);
  void lose();

  load_run& run_;
  std::size_t index_;
  std::optional<boost::asio::ip::address> local_;
  tcp::socket socket_;
  state state_ = state::closed;
  time_point give_up_;
  // Handlers of an earlier life of the socket see another number and do nothing.
  std::uint64_t life_ = 0;
  unsigned failures_ = 0;

  flight* current_ = nullptr;
  std::size_t written_ = 0;

  response_reader reader_;
  // Larger than the largest header section that the parser accepts (8 KiB).
  std::array<char, std::size_t{16} << 10> buffer_;
  std::size_t filled_ = 0;
};

}  // namespace scalekit::ops::detail
