#include "scalekit/ops/load_request.hpp"

#include <algorithm>
#include <stdexcept>

namespace scalekit::ops {
namespace {

bool breaks_a_line(char c) {
  return c == '\r' || c == '\n' || c == '\0';
}

bool breaks_a_request_line(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
}

void require_token(std::string_view what, std::string_view text) {
  if (!text.empty() && std::none_of(text.begin(), text.end(), breaks_a_request_line)) return;
  throw std::invalid_argument("load_request." + std::string(what) +
                              " is empty or holds a space or control character; legal: "
                              "percent-encoded text");
}

bool announces_a_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

load_request& load_request::header(std::string_view name, std::string_view value) {
  if (name.empty() || std::any_of(name.begin(), name.end(), breaks_a_request_line) ||
      std::any_of(value.begin(), value.end(), breaks_a_line)) {
    throw std::invalid_argument(
        "load_request.header has an empty name or a line break in it; legal: one header line");
  }
  header_lines_.append(name).append(": ").append(value).append("\r\n");
  return *this;
}

void load_request::clear() noexcept {
  kind = 0;
  client.reset();
  tag = 0;
  method.assign("GET");
  target.assign("/");
  body.clear();
  header_lines_.clear();
}

void load_request::append_to(std::string& out, std::string_view host) const {
  require_token("method", method);
  require_token("target", target);
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host);
  out.append("\r\nUser-Agent: scalekit-load\r\n").append(header_lines_);
  if (!body.empty() || announces_a_body(method)) {
    out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  out.append("\r\n").append(body);
}

load_outcome outcome_of(unsigned status) noexcept {
  if (status < 300) return load_outcome::ok;
  if (status < 400) return load_outcome::redirected;
  if (status == 429) return load_outcome::limited;
  return status < 500 ? load_outcome::client_error : load_outcome::server_error;
}

}  // namespace scalekit::ops
