#include "http/connection.hpp"

#include "http/problem.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <optional>
#include <tuple>
#include <utility>

namespace storefront {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

// Failures of a socket are everyday business: codes, not exceptions.
constexpr auto as_code = asio::as_tuple(asio::use_awaitable);

/// The answer to what is not even HTTP; nothing for a client that simply went away.
std::optional<response> answer_to_garbage(error_code error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return problem(431, "header-too-large", "the request's header is too large").to_response();
  }
  if (error == http::error::body_limit) {
    return problem(413, "body-too-large", "the request's body is too large").to_response();
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message ||
      error.category() != make_error_code(http::error::bad_method).category()) {
    return std::nullopt;
  }
  return bad_request("this is not a valid HTTP/1.1 request").to_response();
}

}  // namespace

connection::connection(asio::ip::tcp::socket socket, const server_params& params,
                       const answerer& answer, const std::atomic<bool>& stopping)
    : stream_(std::move(socket)), params_(params), answer_(answer), stopping_(stopping) {
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  peer_ = stream_.socket().remote_endpoint(ignored).address().to_string();
}

asio::awaitable<void> connection::serve() {
  // The coroutine's frame keeps the connection; the server only holds weak references.
  auto self = shared_from_this();
  while (co_await serve_one()) {
  }
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

asio::awaitable<bool> connection::serve_one() {
  http::request_parser<http::string_body> parser;
  parser.header_limit(params_.max_header_bytes);
  parser.body_limit(params_.max_body_bytes);

  // Between requests a stop may interrupt us; inside one it may not.
  if (stopping_) co_return false;
  waiting_ = true;
  stream_.expires_after(params_.idle_timeout);
  auto [error, header_bytes] = co_await http::async_read_header(stream_, buffer_, parser, as_code);
  waiting_ = false;
  if (!error) {
    stream_.expires_after(params_.transfer_timeout);
    std::tie(error, header_bytes) = co_await http::async_read(stream_, buffer_, parser, as_code);
  }
  if (error) {
    if (auto answer = answer_to_garbage(error)) {
      co_await write(*answer, 11, false, true);
      co_await linger();
    }
    co_return false;
  }

  auto message = parser.release();
  auto version = message.version();
  bool with_body = message.method() != http::verb::head;
  bool keep_alive = message.keep_alive();
  // The library's own deadlines bound the wait for the answer.
  stream_.expires_never();
  auto answer = co_await answer_(std::move(message), peer_);
  keep_alive = keep_alive && !stopping_;
  co_await write(answer, version, keep_alive, with_body);
  co_return keep_alive;
}

asio::awaitable<void> connection::write(const response& answer, unsigned version, bool keep_alive,
                                        bool with_body) {
  http::response<http::string_body> message(static_cast<http::status>(answer.status), version);
  message.set(http::field::server, "storefront");
  message.set(http::field::content_type,
              boost::beast::string_view(answer.content_type.data(), answer.content_type.size()));
  for (const auto& [name, value] : answer.headers) message.set(name, value);
  message.keep_alive(keep_alive);
  // The answer to a HEAD tells the length of the body that it does not carry.
  message.content_length(answer.body.size());
  if (with_body) message.body() = answer.body;
  stream_.expires_after(params_.transfer_timeout);
  auto [error, written] = co_await http::async_write(stream_, message, as_code);
  if (error) cut();
}

asio::awaitable<void> connection::linger() {
  // Closing a socket with unread input resets it, and the client may never see our answer. So:
  // say that no more will come, and read for a moment what it is still sending.
  error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  stream_.expires_after(std::chrono::seconds(1));
  std::array<char, 4096> discarded;
  for (std::size_t total = 0; total < 1'000'000;) {
    auto [error, bytes] = co_await stream_.async_read_some(asio::buffer(discarded), as_code);
    if (error) co_return;
    total += bytes;
  }
}

void connection::interrupt() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] {
    if (self->waiting_) self->stream_.cancel();
  });
}

void connection::cut() {
  asio::post(stream_.get_executor(), [self = shared_from_this()] { self->stream_.close(); });
}

}  // namespace storefront
