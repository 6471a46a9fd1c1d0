#pragma once

#include "redis/login.hpp"
#include "redis/place.hpp"
#include "redis/resolve.hpp"
#include "redis/site.hpp"
#include "redis/wire.hpp"
#include "scalekit/redis/reply.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace scalekit::redis::detail {

/// A connection to a sentinel: says one thing after the login, and tells of all that is answered.
///
/// Thread safety: in `loop` only, which one thread runs.
class sentinel_line : public std::enable_shared_from_this<sentinel_line> {
 public:
  sentinel_line(std::shared_ptr<site> of, const boost::asio::any_io_executor& loop, place to);

  struct listener {
    std::function<void(const reply&)> on_reply = {};
    /// Once, and nothing after it: why the connection has ended, or could not be made.
    std::function<void(const std::string& why)> on_end = {};
  };

  /// Once. It ends after `patience`, unless that is called off.
  void start(std::string say, std::chrono::nanoseconds patience, listener tell);
  /// What comes may take its time from now on.
  void be_patient();
  /// Nothing is told any more. May be called in what the listener is told.
  void close();

 private:
  void resolve();
  void connect_next();
  void log_in();
  void read();
  void on_read(const boost::system::error_code& ec, std::size_t size);
  void take(const reply& next);
  void flush();
  void end(const std::string& why);

  const std::shared_ptr<site> site_;
  const boost::asio::any_io_executor loop_;
  const place to_;
  std::string say_;
  listener tell_;
  boost::asio::steady_timer timer_;
  resolved candidates_;
  std::size_t next_candidate_ = 0;
  wire_ptr wire_;
  std::unique_ptr<login> login_;
};

}  // namespace scalekit::redis::detail
