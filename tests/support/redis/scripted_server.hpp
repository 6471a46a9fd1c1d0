#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/completion_condition.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace support::redis {

/// Speaks Redis and says what a test wants: any server, or a sentinel. A thread of its own.
class scripted_server {
 public:
  using words = std::vector<std::string>;
  /// What is sent for a command, as it goes over the wire; "" is no answer. Called in the server's
  /// thread.
  using script = std::function<std::string(const words&)>;

  explicit scripted_server(script answers) : answers_(std::move(answers)) {
    boost::asio::co_spawn(io_, listen(), boost::asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }
  ~scripted_server() {
    io_.stop();
    thread_.join();
  }
  scripted_server(const scripted_server&) = delete;
  scripted_server& operator=(const scripted_server&) = delete;

  std::uint16_t port() const { return port_; }

  /// Sends it on every connection, unasked.
  void say(const std::string& bytes) {
    boost::asio::post(io_, boost::asio::use_future([this, bytes] {
                        for (auto& each : peers_) {
                          boost::system::error_code ignored;
                          boost::asio::write(each, boost::asio::buffer(bytes), ignored);
                        }
                      }))
        .get();
  }

 private:
  using tcp = boost::asio::ip::tcp;

  static boost::asio::awaitable<std::string> read_line(tcp::socket& from, std::string& buffer) {
    const auto size = co_await boost::asio::async_read_until(
        from, boost::asio::dynamic_buffer(buffer), "\r\n", boost::asio::use_awaitable);
    auto line = buffer.substr(1, size - 3);
    buffer.erase(0, size);
    co_return line;
  }

  boost::asio::awaitable<void> serve(std::list<tcp::socket>::iterator peer) {
    try {
      std::string buffer;
      for (;;) {
        words command;
        // Each wait by itself: gcc 12 destroys the temporaries of larger expressions twice.
        const auto count = co_await read_line(*peer, buffer);
        for (std::size_t i = 0; i < std::stoul(count); ++i) {
          const auto length = co_await read_line(*peer, buffer);
          const auto size = std::stoul(length) + 2;
          if (buffer.size() < size) {
            co_await boost::asio::async_read(*peer, boost::asio::dynamic_buffer(buffer),
                                             boost::asio::transfer_exactly(size - buffer.size()),
                                             boost::asio::use_awaitable);
          }
          command.push_back(buffer.substr(0, size - 2));
          buffer.erase(0, size);
        }
        const auto answer = answers_(command);
        co_await boost::asio::async_write(*peer, boost::asio::buffer(answer),
                                          boost::asio::use_awaitable);
      }
    } catch (const std::exception&) {
      // The other end has gone.
    }
    peers_.erase(peer);
  }

  boost::asio::awaitable<void> listen() {
    for (;;) {
      auto peer = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      peers_.push_front(std::move(peer));
      boost::asio::co_spawn(io_, serve(peers_.begin()), boost::asio::detached);
    }
  }

  const script answers_;
  boost::asio::io_context io_{1};
  std::list<tcp::socket> peers_;
  tcp::acceptor acceptor_{io_, {boost::asio::ip::make_address("127.0.0.1"), 0}};
  const std::uint16_t port_ = acceptor_.local_endpoint().port();
  std::thread thread_;
};

/// An array of texts, as it goes over the wire.
inline std::string wire_array(const std::vector<std::string>& texts) {
  auto wire = "*" + std::to_string(texts.size()) + "\r\n";
  for (const auto& each : texts) {
    wire += "$" + std::to_string(each.size()) + "\r\n" + each + "\r\n";
  }
  return wire;
}

}  // namespace support::redis
