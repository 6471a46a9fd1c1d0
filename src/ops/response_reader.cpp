#include "ops/response_reader.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>

namespace scalekit::ops::detail {
namespace {

constexpr unsigned switching_protocols = 101;

}  // namespace

void status_parser::on_response_impl(int code, string, int, error& ec) {
  // Beast takes any three digits; "051" would be a final answer that ends with the stream.
  if (code < 100) ec = boost::beast::http::error::bad_status;
  status_ = static_cast<unsigned>(code);
}

std::size_t status_parser::keep(string part) {
  auto room = capture_ - std::min(capture_, body_.size());
  body_.append(part.data(), std::min(room, part.size()));
  return part.size();
}

void response_reader::expect(bool to_head) {
  to_head_ = to_head;
  body_.clear();
  parser_.emplace(body_, capture_);
  parser_->skip(to_head);
}

response_reader::progress response_reader::feed(std::string_view bytes, std::size_t& used) {
  used = 0;
  while (used < bytes.size()) {
    boost::beast::error_code ec;
    used += parser_->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), ec);
    if (ec == boost::beast::http::error::need_more) return progress::need_more;
    if (ec) return progress::broken;
    if (!parser_->is_done()) continue;
    if (status() >= 200) return progress::complete;
    if (status() == switching_protocols) return progress::broken;
    expect(to_head_);
  }
  return progress::need_more;
}

response_reader::progress response_reader::end_of_stream() {
  if (!parser_->got_some()) return progress::broken;
  boost::beast::error_code ec;
  parser_->put_eof(ec);
  return !ec && parser_->is_done() ? progress::complete : progress::broken;
}

}  // namespace scalekit::ops::detail
