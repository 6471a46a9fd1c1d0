#include "ops/response_reader.hpp"

#include <doctest/doctest.h>

#include <string>

using scalekit::ops::detail::response_reader;
using progress = response_reader::progress;

namespace {

/// Feeds `text` in pieces of `size` as a connection does: what is not used comes again.
progress feed_in_pieces(response_reader& reader, std::string_view text, std::size_t size,
                        std::string* left = nullptr) {
  std::string pending;
  while (!text.empty()) {
    auto piece = text.substr(0, size);
    text.remove_prefix(piece.size());
    pending += piece;
    std::size_t used = 0;
    auto now = reader.feed(pending, used);
    pending.erase(0, used);
    if (left) *left = pending + std::string(text);
    if (now != progress::need_more) return now;
  }
  return progress::need_more;
}

struct example {
  const char* situation;
  const char* bytes;
  progress expected;
  unsigned status;
  bool keep_alive;
  const char* body;
};

const example examples[] = {
    {"content length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", progress::complete, 200,
     true, "hello"},
    {"no body", "HTTP/1.1 204 No Content\r\n\r\n", progress::complete, 204, true, ""},
    {"not modified has no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
     progress::complete, 304, true, ""},
    {"chunked with extension and trailer",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nDigest: z\r\n\r\n",
     progress::complete, 200, true, "hello"},
    {"close", "HTTP/1.1 503 Busy\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
     progress::complete, 503, false, ""},
    {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", progress::complete, 200, false, "hi"},
    {"interim response",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nid",
     progress::complete, 201, true, "id"},
    {"unasked upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\n", progress::broken, 101, true,
     ""},
};

}  // namespace

TEST_CASE("a response is understood however the network cuts it") {
  for (const auto& e : examples) {
    for (std::size_t size : {1U, 2U, 3U, 7U, 1000U}) {
      CAPTURE(e.situation);
      CAPTURE(size);
      response_reader reader(64);
      reader.expect(false);

      CHECK(feed_in_pieces(reader, e.bytes, size) == e.expected);

      CHECK(reader.status() == e.status);
      if (e.expected == progress::complete) {
        CHECK(reader.keep_alive() == e.keep_alive);
        CHECK(reader.body() == e.body);
      }
    }
  }
}

TEST_CASE("one response follows another on the same connection") {
  response_reader reader(64);
  const std::string first = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
  const std::string second = "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\ntwo";
  std::string left;

  reader.expect(false);
  CHECK(feed_in_pieces(reader, first + second, 1000, &left) == progress::complete);
  CHECK(reader.body() == "one");
  CHECK(left == second);
  reader.expect(false);
  CHECK(feed_in_pieces(reader, left, 1000) == progress::complete);

  CHECK(reader.status() == 404);
  CHECK(reader.body() == "two");
}

TEST_CASE("only the beginning of a body is kept") {
  response_reader reader(4);
  reader.expect(false);

  CHECK(feed_in_pieces(reader, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", 2) ==
        progress::complete);

  CHECK(reader.body() == "1234");
}

TEST_CASE("a response to HEAD ends with its headers") {
  response_reader reader(64);
  reader.expect(true);

  CHECK(feed_in_pieces(reader, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 1000) ==
        progress::complete);
}

TEST_CASE("the end of the stream completes a body without a length, and nothing else") {
  response_reader until_close(64);
  until_close.expect(false);
  CHECK(feed_in_pieces(until_close, "HTTP/1.1 200 OK\r\n\r\nall of it", 3) == progress::need_more);
  CHECK(until_close.end_of_stream() == progress::complete);
  CHECK_FALSE(until_close.keep_alive());
  CHECK(until_close.body() == "all of it");

  response_reader cut(64);
  cut.expect(false);
  CHECK(feed_in_pieces(cut, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123", 1000) ==
        progress::need_more);
  CHECK(cut.end_of_stream() == progress::broken);

  response_reader silent(64);
  silent.expect(false);
  CHECK(silent.end_of_stream() == progress::broken);
}

TEST_CASE("what is not HTTP is broken") {
  for (auto* bytes :
       {"SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 051 Below what there is\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    CAPTURE(bytes);
    response_reader reader(64);
    reader.expect(false);

    CHECK(feed_in_pieces(reader, bytes, 1000) == progress::broken);
  }
}
