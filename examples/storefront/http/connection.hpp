#pragma once

#include "http/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <atomic>
#include <memory>

namespace storefront {

/// One client's connection: reads a request, has it answered, writes the answer, again.
///
/// Everything but interrupt() and cut() runs on the socket's own loop.
class connection : public std::enable_shared_from_this<connection> {
 public:
  /// `stopping` and what `params` and `answer` refer to must outlive the connection.
  connection(boost::asio::ip::tcp::socket socket, const server_params& params,
             const answerer& answer, const std::atomic<bool>& stopping);

  boost::asio::awaitable<void> serve();

  /// From any thread, after `stopping` was set: ends the connection if it waits for a request.
  void interrupt();

  /// From any thread: ends the connection whatever it does.
  void cut();

 private:
  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<void> write(const response& answer, unsigned version, bool keep_alive,
                                     bool with_body);
  boost::asio::awaitable<void> linger();

  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  const server_params& params_;
  const answerer& answer_;
  const std::atomic<bool>& stopping_;
  std::string peer_;
  bool waiting_ = false;
};

}  // namespace storefront
