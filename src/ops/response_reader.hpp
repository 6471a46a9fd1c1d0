#pragma once

// Reads HTTP/1.x responses out of a connection's bytes without storing them. No I/O.

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace scalekit::ops::detail {

/// Keeps of a response its status and, if told to, the beginning of its body.
class status_parser final : public boost::beast::http::basic_parser<false> {
 public:
  using string = boost::beast::string_view;
  using error = boost::beast::error_code;
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;

  status_parser(std::string& body, std::size_t capture) : body_(body), capture_(capture) {
    body_limit(boost::none);
    eager(true);
  }

  unsigned status() const noexcept { return status_; }

 private:
  void on_request_impl(verb, string, string, int, error&) override {}
  void on_response_impl(int code, string, int, error& ec) override;
  void on_field_impl(field, string, string, error&) override {}
  // Pure virtual from Boost 1.90 on, unknown to 1.81.
  virtual void on_trailer_field_impl(field, string, string, error&) {}
  void on_header_impl(error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error&) override {}
  std::size_t on_body_impl(string part, error&) override { return keep(part); }
  void on_chunk_header_impl(std::uint64_t, string, error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string part, error&) override { return keep(part); }
  void on_finish_impl(error&) override {}

  std::size_t keep(string part);

  std::string& body_;
  std::size_t capture_;
  unsigned status_ = 0;
};

/// One response after the other from a stream of bytes that comes in any pieces.
class response_reader {
 public:
  enum class progress { need_more, complete, broken };

  /// `capture`: bytes of each body to keep.
  explicit response_reader(std::size_t capture) : capture_(capture) {}

  /// Begins a response; one to HEAD has no body whatever its headers say.
  void expect(bool to_head);

  /// Reads on and sets `used` to the bytes it is done with; the others must come again, with more
  /// behind them. Interim responses (1xx) are skipped. Precondition: expect() was called, and
  /// neither complete nor broken was returned since.
  progress feed(std::string_view bytes, std::size_t& used);

  /// The stream ended: some responses end with it, for others it is broken.
  progress end_of_stream();

  unsigned status() const noexcept { return parser_->status(); }
  bool keep_alive() const { return parser_->keep_alive(); }
  std::string_view body() const noexcept { return body_; }

 private:
  std::size_t capture_;
  std::string body_;
  bool to_head_ = false;
  std::optional<status_parser> parser_;
};

}  // namespace scalekit::ops::detail
