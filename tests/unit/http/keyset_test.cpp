#include "scalekit/http/keyset.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <vector>

namespace http = scalekit::http;
using scalekit::errc;
using namespace std::string_literals;

TEST_CASE("a cursor gives back the fields it was made of, whatever bytes they hold") {
  const std::vector<std::vector<std::string>> rows = {
      {},
      {""},
      {"", ""},
      {"sofa", "42"},
      {"a\0b"s, "\xff\xfe", "'; drop table product; --"},
      std::vector<std::string>(16, "x"),
      {std::string(700, 'y')},
  };

  for (const auto& fields : rows) {
    CAPTURE(fields.size());
    std::vector<std::string_view> views(fields.begin(), fields.end());
    auto text = http::encode_cursor(views);

    CHECK(text.find_first_not_of(
              "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
          std::string::npos);
    CHECK(http::decode_cursor(text, fields.size()).value() == fields);
    CHECK(http::decode_cursor(text, fields.size() + 1).has_error());
  }
}

TEST_CASE("a damaged cursor is a typed error, never other fields") {
  const auto text = http::encode_cursor({"sofa", "42"});

  for (std::size_t at = 0; at < text.size(); ++at) {
    auto cut = text.substr(0, at);
    auto changed = text;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CAPTURE(at);
    REQUIRE(http::decode_cursor(cut, 2).has_error());
    REQUIRE(http::decode_cursor(changed, 2).has_error());
    CHECK(http::decode_cursor(changed, 2).error().code() == errc::invalid_argument);
  }
  for (const auto& garbage : {""s, "="s, text + "=", text + "A", " " + text, "\0\0\0\0"s,
                              std::string(1'000'000, 'A'), "%00"s}) {
    CHECK(http::decode_cursor(garbage, 2).has_error());
  }
}

TEST_CASE("random text never decodes to fields") {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 40, ' ');
    for (auto& c : text) c = "ABCDEFabcdef0123-_AAAA"[random() % 22];
    REQUIRE(http::decode_cursor(text, 1).has_error());
  }
}

TEST_CASE("what does not fit a cursor is refused when it is made") {
  std::vector<std::string_view> many(17, "x");

  CHECK_THROWS_AS(http::encode_cursor(many), const scalekit::error&);
  CHECK_THROWS_AS(http::encode_cursor({std::string(800, 'x')}), const scalekit::error&);
  CHECK_THROWS_AS(http::encode_cursor({std::string(100'000, 'x')}), const scalekit::error&);
}

TEST_CASE("the link to the next page keeps the other parameters") {
  struct row {
    const char* target;
    const char* value;
  };
  const row rows[] = {
      {"/products", "</products?after=CUR>; rel=\"next\""},
      {"/products?", "</products?after=CUR>; rel=\"next\""},
      {"/products?category=sofa", "</products?category=sofa&after=CUR>; rel=\"next\""},
      {"/products?after=OLD", "</products?after=CUR>; rel=\"next\""},
      {"/p?after=1&a=b&after&after=2", "</p?a=b&after=CUR>; rel=\"next\""},
      {"/p?aftermath=1", "</p?aftermath=1&after=CUR>; rel=\"next\""},
  };

  for (const auto& r : rows) {
    CAPTURE(r.target);
    CHECK(http::next_link(r.target, "CUR") == http::header{"Link", r.value});
  }
  CHECK(http::next_link("/p", "CUR", "page").value == "</p?page=CUR>; rel=\"next\"");
}

TEST_CASE("a target that would break out of the header is refused") {
  for (const char* bad : {"", "/a b", "/a\r\nSet-Cookie: x", "/a>; rel=\"x\"", "/a<", "/a#b"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(http::next_link(bad, "CUR"), const scalekit::error&);
  }
  CHECK_THROWS_AS(http::next_link("/a", "C\r\n"), const scalekit::error&);
}
