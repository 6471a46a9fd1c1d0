#include "redis/reply_reader.hpp"

#include <doctest/doctest.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace scalekit::redis;
using detail::reply_reader;
using namespace std::string_literals;

namespace {

constexpr std::size_t most = 1 << 20;

reply text(std::string bytes) {
  return {.kind = reply_kind::text, .text = std::move(bytes)};
}
reply integer(std::int64_t n) {
  return {.kind = reply_kind::integer, .integer = n};
}
reply array(std::vector<reply> elements) {
  return {.kind = reply_kind::array, .elements = std::move(elements)};
}

std::vector<reply> read_all(std::string_view wire, std::size_t piece) {
  reply_reader reader(most);
  std::vector<reply> all;
  for (std::size_t at = 0; at < wire.size(); at += piece) {
    const std::string exactly(wire.substr(at, piece));
    reader.give(exactly);
    while (auto next = reader.next()) all.push_back(std::move(*next));
  }
  CHECK(reader.failed() == reply_reader::failure::none);
  CHECK(reader.unread() == 0);
  return all;
}

}  // namespace

TEST_CASE("replies come out as they went in, whole or byte by byte") {
  const auto wire =
      "+OK\r\n:-42\r\n$5\r\nab\r\nc\r\n$-1\r\n$0\r\n\r\n*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n-ERR "
      "no\r\n"
      "*0\r\n*-1\r\n"s;
  const std::vector<reply> expected{
      {.kind = reply_kind::status, .text = "OK"},
      integer(-42),
      text("ab\r\nc"),
      {},
      text(""),
      array({text("a"), array({integer(1), {}}), {.kind = reply_kind::error, .text = "ERR no"}}),
      array({}),
      {}};

  for (const std::size_t piece : {wire.size(), std::size_t{1}, std::size_t{7}}) {
    INFO(piece);
    CHECK(read_all(wire, piece) == expected);
  }
}

TEST_CASE("an array of many arrays keeps each in its place") {
  std::string wire = "*1000\r\n";
  std::vector<reply> elements;
  for (int i = 0; i < 1000; ++i) {
    wire += "*2\r\n:" + std::to_string(i) + "\r\n$3\r\nabc\r\n";
    elements.push_back(array({integer(i), text("abc")}));
  }

  CHECK(read_all(wire, 100) == std::vector<reply>{array(elements)});
}

TEST_CASE("an array nests seven deep") {
  const auto nested = [](int arrays) {
    std::string wire;
    for (int i = 0; i < arrays; ++i) wire += "*1\r\n";
    return wire + ":1\r\n";
  };
  reply_reader reader(most);
  auto wire = nested(1 + 7);
  reader.give(wire);
  CHECK(reader.next());
  wire = nested(1 + 8);
  reader.give(wire);
  CHECK_FALSE(reader.next());
  CHECK(reader.failed() == reply_reader::failure::protocol);
}

TEST_CASE("a value is as large as it says") {
  const std::string value(300'000, 'x');
  CHECK(read_all("$300000\r\n" + value + "\r\n:1\r\n", 65536) ==
        std::vector<reply>{text(value), integer(1)});
}

TEST_CASE("what is not the protocol is an error, and says nothing of what came") {
  for (const auto& wire :
       {"hello secret\r\n"s, "$abc\r\n"s, ":1x\r\n"s, "*-2\r\n"s, "$-2\r\n"s, "\0"s,
        "HTTP/1.1\r\n"s, "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"s}) {
    INFO(wire);
    reply_reader reader(most);
    reader.give(wire);
    CHECK_FALSE(reader.next());
    CHECK(reader.failed() == reply_reader::failure::protocol);
    CHECK(reader.why().find("secret") == std::string::npos);
    // It stays so.
    reader.give(":1\r\n");
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("more than may be is not kept, whatever was promised") {
  using failure = reply_reader::failure;
  SUBCASE("a promise alone is nothing") {
    reply_reader reader(1024);
    reader.give("*2147483647\r\n");
    CHECK_FALSE(reader.next());
    CHECK(reader.failed() == failure::none);
    CHECK(reader.unread() == 13);
  }
  SUBCASE("one large value") {
    reply_reader reader(64 * 1024);
    reader.give("$536870912\r\n");
    CHECK_FALSE(reader.next());
    const std::string part(8192, 'x');
    int given = 0;
    while (reader.failed() == failure::none && given < 100) {
      reader.give(part);
      CHECK_FALSE(reader.next());
      ++given;
    }
    CHECK(reader.failed() == failure::too_large);
    CHECK(given < 12);
    CHECK(reader.why() == "a reply of more than 64 KiB");
  }
  SUBCASE("many small ones, which are larger in memory than on the wire") {
    reply_reader reader(64 * 1024);
    std::string wire = "*100000\r\n";
    for (int i = 0; i < 100'000; ++i) wire += "$-1\r\n";
    reader.give(wire);
    CHECK_FALSE(reader.next());
    CHECK(reader.failed() == failure::too_large);
  }
  SUBCASE("what was read before does not count") {
    reply_reader reader(1024);
    for (int i = 0; i < 100; ++i) {
      reader.give("$5\r\nhello\r\n");
      CHECK(reader.next() == text("hello"));
    }
  }
}
