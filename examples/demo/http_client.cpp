#include "http_client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace demo {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

asio::awaitable<http_reply> exchange(std::uint16_t port, http::request<http::string_body> request,
                                     std::chrono::seconds timeout) {
  boost::beast::tcp_stream stream(co_await asio::this_coro::executor);
  stream.expires_after(timeout);
  asio::ip::tcp::endpoint server(asio::ip::address_v4::loopback(), port);
  co_await stream.async_connect(server, asio::use_awaitable);
  co_await http::async_write(stream, request, asio::use_awaitable);
  boost::beast::flat_buffer buffer;
  http::response<http::string_body> response;
  co_await http::async_read(stream, buffer, response, asio::use_awaitable);
  co_return http_reply{response.result_int(), std::move(response.body())};
}

}  // namespace

http_reply fetch(std::uint16_t port, std::string_view method, std::string_view target,
                 std::string_view body, std::chrono::seconds timeout) {
  http::request<http::string_body> request(http::string_to_verb({method.data(), method.size()}),
                                           {target.data(), target.size()}, 11);
  request.set(http::field::host, "127.0.0.1");
  request.set(http::field::content_type, "application/json");
  request.body() = body;
  request.prepare_payload();
  asio::io_context io;
  auto reply = asio::co_spawn(io, exchange(port, std::move(request), timeout), asio::use_future);
  io.run();
  return reply.get();
}

}  // namespace demo
