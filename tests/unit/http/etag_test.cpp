#include "scalekit/http/etag.hpp"

#include <doctest/doctest.h>

namespace http = scalekit::http;

TEST_CASE("equal bodies have equal tags, in this version and the next") {
  CHECK(http::strong_etag("") == "\"cbf29ce484222325-0\"");
  CHECK(http::strong_etag("a") == "\"af63dc4c8601ec8c-1\"");
  CHECK(http::strong_etag("a") != http::strong_etag("b"));
}

TEST_CASE("If-None-Match names a tag, alone, in a list, weak, or as a star") {
  struct row {
    const char* header;
    bool matches;
  };
  const row rows[] = {
      {"\"x\"", true},
      {" \"x\" ", true},
      {"W/\"x\"", true},
      {"\"a\", \"x\"", true},
      {"\"a\",W/\"b\",\"x\"", true},
      {"*", true},
      {" * ", true},
      {"\"a,b\", \"x\"", true},
      {"\"y\"", false},
      {"", false},
      {"x", false},
      {"\"x", false},
      {"*, \"y\"", false},
      {"\"a\" x \"x\"", false},
      {",,,", false},
  };

  for (const auto& r : rows) {
    CAPTURE(r.header);
    CHECK(http::matches_etag(r.header, "\"x\"") == r.matches);
  }
  CHECK(http::matches_etag("\"x\"", "W/\"x\""));
}
