#pragma once

#include "http/message.hpp"

#include <scalekit/core/runtime.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace storefront {

/// Bounds of what a client may make us hold. A shop on the open internet needs every one.
struct server_params {
  std::string address = "127.0.0.1";
  /// 0: any free port; see server::port().
  std::uint16_t port = 8080;
  /// One more is closed at once.
  std::size_t max_connections = 4096;
  std::uint32_t max_header_bytes = 8 * 1024;
  std::uint64_t max_body_bytes = 64 * 1024;
  /// Between two requests of a kept-alive connection.
  std::chrono::seconds idle_timeout{60};
  /// To receive the rest of a request once its header is here, and to send an answer.
  std::chrono::seconds transfer_timeout{10};
};

/// Answers a request. Must not throw: an exception closes the connection without an answer.
using answerer = std::function<boost::asio::awaitable<response>(http_message, std::string peer)>;

/// An HTTP/1.1 server on the loops of a scalekit::runtime: every connection is one coroutine that
/// stays on one loop, so nothing in it needs a lock.
class server {
 public:
  /// Binds; throws boost::system::system_error when the address is taken. Call start() next.
  server(scalekit::runtime& loops, server_params params, answerer answer);
  ~server();

  std::uint16_t port() const;

  void start();

  /// Accepts no more, closes idle connections, lets requests under way be answered. Blocks until
  /// all connections are gone, or `patience` is over and the rest was cut. True when none was.
  bool stop(std::chrono::milliseconds patience);

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace storefront
