#include "scalekit/http/next_link.hpp"

#include "scalekit/core/error.hpp"

#include <doctest/doctest.h>

namespace http = scalekit::http;

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
