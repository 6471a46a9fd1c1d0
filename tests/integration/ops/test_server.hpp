#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

/// What the server does with a request: writes pieces, each after a pause, then keeps the
/// connection, closes it, or resets it.
struct script {
  enum class finish { keep, close, reset };

  std::vector<std::pair<std::chrono::milliseconds, std::string>> pieces;
  finish then = finish::keep;

  static script reply(std::string bytes) { return {{{{}, std::move(bytes)}}}; }
  static script status(unsigned code) {
    auto head = "HTTP/1.1 " + std::to_string(code) + " Said\r\n";
    if (code == 304) return reply(head + "\r\n");
    return reply(head + "Content-Length: 2\r\n\r\nok");
  }
};

/// An HTTP server on one thread of its own that answers by a function of the target.
class test_server {
 public:
  using tcp = boost::asio::ip::tcp;
  using answer = std::function<script(const std::string& target)>;

  explicit test_server(answer how)
      : how_(std::move(how)), acceptor_(io_, {boost::asio::ip::address_v4::any(), 0}) {
    boost::asio::co_spawn(io_, accept(), boost::asio::detached);
    thread_ = std::thread([this] { io_.run(); });
  }

  ~test_server() {
    io_.stop();
    thread_.join();
  }

  test_server(const test_server&) = delete;
  test_server& operator=(const test_server&) = delete;

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  /// After `delay`, the whole server does nothing for `length`.
  void stall(std::chrono::milliseconds delay, std::chrono::milliseconds length) {
    boost::asio::post(io_, [this, delay, length] {
      stall_timer_.expires_after(delay);
      stall_timer_.async_wait([length](auto) { std::this_thread::sleep_for(length); });
    });
  }

  std::size_t connections() const { return connections_; }
  std::size_t requests() const { return requests_; }

  /// How many requests came from each address.
  std::map<std::string, std::map<std::string, int>> targets_by_address() const {
    std::lock_guard lock(mutex_);
    return targets_;
  }

 private:
  boost::asio::awaitable<void> accept() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      ++connections_;
      boost::asio::co_spawn(io_, serve(std::move(socket)), [](const std::exception_ptr&) {});
    }
  }

  boost::asio::awaitable<void> serve(tcp::socket socket) {
    namespace http = boost::beast::http;
    socket.set_option(tcp::no_delay(true));
    auto address = socket.remote_endpoint().address().to_string();
    boost::asio::steady_timer pause(io_);
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request<http::string_body> request;
      co_await http::async_read(socket, buffer, request, boost::asio::use_awaitable);
      ++requests_;
      std::string target(request.target());
      {
        std::lock_guard lock(mutex_);
        ++targets_[address][target];
      }
      auto todo = how_(target);
      for (const auto& [before, bytes] : todo.pieces) {
        if (before.count() > 0) {
          pause.expires_after(before);
          co_await pause.async_wait(boost::asio::use_awaitable);
        }
        co_await boost::asio::async_write(socket, boost::asio::buffer(bytes),
                                          boost::asio::use_awaitable);
      }
      if (todo.then == script::finish::reset) {
        socket.set_option(boost::asio::socket_base::linger(true, 0));
      }
      if (todo.then != script::finish::keep) co_return;
    }
  }

  answer how_;
  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::string, int>> targets_;
  std::atomic<std::size_t> connections_{0};
  std::atomic<std::size_t> requests_{0};
  boost::asio::io_context io_{1};
  boost::asio::steady_timer stall_timer_{io_};
  tcp::acceptor acceptor_;
  std::thread thread_;
};
