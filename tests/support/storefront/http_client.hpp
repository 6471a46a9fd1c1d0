#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storefront_test {

/// What came back. Status 0: the connection was closed, or ten seconds passed.
struct reply {
  int status = 0;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;

  /// Empty when there is none.
  std::string header(std::string_view name) const;
  /// The body as an object; empty when it is none.
  boost::json::object json() const;
};

/// One customer: a kept-alive connection, opened again when it was closed.
class http_client {
 public:
  /// `address`: whom this client says it is, in X-Forwarded-For; the shop trusts us, as we are
  /// on its own machine. Empty: says nothing.
  explicit http_client(std::uint16_t port, std::string address = {});

  reply get(const std::string& target) { return send("GET", target, {}); }
  reply post(const std::string& target, std::string body) {
    return send("POST", target, std::move(body));
  }
  reply send(const std::string& method, const std::string& target, std::string body,
             const std::vector<std::pair<std::string, std::string>>& headers = {});

  /// Sends these bytes on a new connection and reads one response.
  reply raw(const std::string& bytes);

 private:
  bool connect();
  reply exchange(const std::string& bytes, bool head);

  std::uint16_t port_;
  std::string address_;
  boost::asio::io_context loop_;
  boost::beast::flat_buffer buffer_;
  std::unique_ptr<boost::beast::tcp_stream> stream_;
};

}  // namespace storefront_test
