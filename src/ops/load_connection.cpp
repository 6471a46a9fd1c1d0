#include "ops/load_connection.hpp"

#include "ops/load_run.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>

namespace scalekit::ops::detail {

namespace asio = boost::asio;
using boost::system::error_code;

load_connection::load_connection(load_run& run, asio::io_context& io, std::size_t index,
                                 std::optional<asio::ip::address> local, std::size_t capture)
    : run_(run), index_(index), local_(std::move(local)), socket_(io), reader_(capture) {}

void load_connection::connect(const tcp::endpoint& to, time_point give_up) {
  ++life_;
  state_ = state::dialling;
  give_up_ = give_up;
  filled_ = 0;
  error_code ec;
  socket_.open(to.protocol(), ec);
  if (!ec && local_) socket_.bind({*local_, 0}, ec);
  if (ec) {
    // Not from here: the run is in the middle of its list of dials.
    asio::post(socket_.get_executor(), [this, ec, life = life_] {
      if (life == life_) fail_dial(ec);
    });
    return;
  }
  socket_.async_connect(to, [this, life = life_](const error_code& result) {
    if (life == life_) on_dialled(result);
  });
}

void load_connection::on_dialled(const error_code& ec) {
  if (ec) return fail_dial(ec);
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  // A request fits the socket's buffer, so it is written without waiting; see send().
  socket_.non_blocking(true, ignored);
  state_ = state::open;
  ++failures_;  // until the first response
  read();
  run_.on_connected(*this);
}

void load_connection::fail_dial(const error_code& ec) {
  abandon();
  ++failures_;
  run_.on_connect_failed(*this, ec);
}

void load_connection::check_dial(time_point now) {
  if (state_ == state::dialling && now >= give_up_) fail_dial(asio::error::timed_out);
}

bool load_connection::send(flight& f) {
  current_ = &f;
  written_ = 0;
  reader_.expect(f.is_head);
  error_code ec;
  written_ = socket_.write_some(asio::buffer(f.bytes), ec);
  if (ec && ec != asio::error::would_block) {
    lose();
    return false;
  }
  if (written_ < f.bytes.size()) write_rest();
  return true;
}

void load_connection::write_rest() {
  auto rest = asio::buffer(current_->bytes) + written_;
  socket_.async_write_some(rest,
                           [this, life = life_, f = current_](const error_code& ec, std::size_t n) {
                             // A response may come before the whole request was written, an early
                             // 413 for example.
                             if (life != life_ || f != current_) return;
                             if (ec) return lose();
                             written_ += n;
                             if (written_ < f->bytes.size()) write_rest();
                           });
}

void load_connection::read() {
  auto space = asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_);
  socket_.async_read_some(space, [this, life = life_](const error_code& ec, std::size_t n) {
    if (life == life_) on_read(ec, n);
  });
}

void load_connection::on_read(const error_code& ec, std::size_t n) {
  if (ec) {
    bool ended_well = ec == asio::error::eof && current_ &&
                      reader_.end_of_stream() == response_reader::progress::complete;
    return ended_well ? finish_response(false) : lose();
  }
  filled_ += n;
  auto life = life_;
  if (!consume()) return;
  // What consume() reported may have closed this connection, or sent the next request on it.
  if (life == life_ && state_ == state::open) read();
  run_.take_up_due();
}

/// False when the connection was lost.
bool load_connection::consume() {
  if (!current_) {
    lose();  // bytes that nobody asked for
    return false;
  }
  std::size_t used = 0;
  auto progress = reader_.feed({buffer_.data(), filled_}, used);
  filled_ -= used;
  if (filled_ > 0) std::memmove(buffer_.data(), buffer_.data() + used, filled_);
  bool stuck = progress == response_reader::progress::need_more && filled_ == buffer_.size();
  if (progress == response_reader::progress::broken || stuck) {
    lose();
    return false;
  }
  if (progress == response_reader::progress::complete) {
    bool whole_request_sent = written_ == current_->bytes.size();
    finish_response(reader_.keep_alive() && filled_ == 0 && whole_request_sent);
  }
  return true;
}

void load_connection::finish_response(bool keep_alive) {
  flight& f = *std::exchange(current_, nullptr);
  failures_ = 0;
  if (!keep_alive) abandon();
  run_.on_response(*this, f);
}

void load_connection::lose() {
  flight* f = current_;
  abandon();
  run_.on_lost(*this, f);
}

void load_connection::abandon() {
  ++life_;
  state_ = state::closed;
  current_ = nullptr;
  error_code ignored;
  socket_.close(ignored);
}

time_point load_connection::retry_at(time_point now) const {
  if (failures_ == 0) return now;
  return now + std::chrono::milliseconds{std::min(1000U, 50U << std::min(failures_, 5U))};
}

}  // namespace scalekit::ops::detail
