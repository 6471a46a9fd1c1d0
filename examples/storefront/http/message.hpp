#pragma once

#include <scalekit/core/request_scope.hpp>
#include <scalekit/http/header.hpp>
#include <scalekit/limit/ip_address.hpp>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/fwd.hpp>
#include <boost/url/url_view.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace storefront {

using http_verb = boost::beast::http::verb;
using http_message = boost::beast::http::request<boost::beast::http::string_body>;

/// One request, from the moment it was read until its response is written.
class request {
 public:
  /// `peer` is the address of the socket. Throws problem (400) for a target that is not a URL.
  request(http_message message, std::string peer);

  // The URL views point into the message.
  request(const request&) = delete;
  request& operator=(const request&) = delete;

  http_verb verb() const { return message_.method(); }
  std::string_view path() const { return url_.encoded_path(); }
  /// Path and query as they were sent.
  std::string_view target() const { return url_.buffer(); }
  std::string_view body() const { return message_.body(); }

  /// A header's value; empty when it is absent.
  std::string_view header(std::string_view name) const;

  /// All lines of that name as one list: a proxy may add a line of its own to what the client sent.
  std::string header_list(std::string_view name) const;
  bool has_header(std::string_view name) const;

  /// A decoded query parameter. Throws problem (400) when it contains control characters.
  std::optional<std::string> query(std::string_view name) const;

  /// The part of the path that matched ":name", decoded. Precondition: the route has it.
  std::string capture(std::string_view name) const;

  /// The same as a positive number; throws problem (404) when it is none: no such thing exists.
  std::int64_t capture_id(std::string_view name) const;

  const std::string& peer() const { return peer_; }

  // Filled on the way in.
  scalekit::limit::ip_address address;  // who is limited: see limits.hpp
  scalekit::request_scope scope;        // handed down to the database client
  std::vector<std::pair<std::string_view, std::string_view>> captures;

 private:
  http_message message_;
  std::string peer_;
  boost::urls::url_view url_;
};

/// What a handler returns.
struct response {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";
  scalekit::http::headers headers;
};

response json_response(int status, const boost::json::value& body);

}  // namespace storefront
