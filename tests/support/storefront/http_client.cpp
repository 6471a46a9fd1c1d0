#include "support/storefront/http_client.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/parse.hpp>

#include <chrono>

namespace storefront_test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

std::string reply::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (boost::beast::iequals({key.data(), key.size()}, {name.data(), name.size()})) return value;
  }
  return {};
}

boost::json::object reply::json() const {
  error_code error;
  auto value = boost::json::parse(body, error);
  return !error && value.is_object() ? value.as_object() : boost::json::object{};
}

http_client::http_client(std::uint16_t port, std::string address)
    : port_(port), address_(std::move(address)) {}

reply http_client::send(const std::string& method, const std::string& target, std::string body,
                        const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string bytes = method + " " + target + " HTTP/1.1\r\nHost: shop\r\n";
  if (!address_.empty()) bytes += "X-Forwarded-For: " + address_ + "\r\n";
  for (const auto& [name, value] : headers) bytes += name + ": " + value + "\r\n";
  if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  bytes += "\r\n" + body;
  return exchange(bytes, method == "HEAD");
}

reply http_client::raw(const std::string& bytes) {
  stream_.reset();
  auto answer = exchange(bytes, false);
  stream_.reset();
  return answer;
}

bool http_client::connect() {
  stream_ = std::make_unique<boost::beast::tcp_stream>(loop_);
  buffer_.clear();
  error_code error;
  stream_->socket().connect({asio::ip::address_v4::loopback(), port_}, error);
  return !error;
}

reply http_client::exchange(const std::string& bytes, bool head) {
  if (!stream_ && !connect()) {
    stream_.reset();
    return {};
  }
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::uint64_t{16} << 20);
  parser.skip(head);
  bool answered = false;
  stream_->expires_after(std::chrono::seconds(10));
  // The answer may come before all was sent (a body that is too large), so the two are not in turn.
  asio::async_write(*stream_, asio::buffer(bytes), [](error_code, std::size_t) {});
  http::async_read(*stream_, buffer_, parser, [&](error_code error, std::size_t) {
    answered = !error;
    if (error) stream_->cancel();
  });
  loop_.restart();
  loop_.run();
  if (!answered) {
    stream_.reset();
    return {};
  }
  reply answer;
  answer.status = static_cast<int>(parser.get().result_int());
  answer.body = parser.get().body();
  for (const auto& field : parser.get()) {
    answer.headers.emplace_back(field.name_string(), field.value());
  }
  if (!parser.get().keep_alive()) stream_.reset();
  return answer;
}

}  // namespace storefront_test
