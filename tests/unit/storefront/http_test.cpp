#include "http/cookie.hpp"
#include "http/problem.hpp"
#include "http/router.hpp"
#include "limits.hpp"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

namespace {

using namespace storefront;

router shop_routes() {
  router routes;
  routes.add(http_verb::get, "/products/:id", {});
  routes.add(http_verb::get, "/products/:id/related", {});
  routes.add(http_verb::get, "/products", {});
  routes.add(http_verb::get, "/orders/:id", {});
  routes.add(http_verb::delete_, "/orders/:id", {});
  return routes;
}

TEST_CASE("a cookie is found by its whole name") {
  struct row {
    const char* header;
    const char* value;
  };
  for (const auto& [header, value] :
       {row{"session=abc", "abc"}, row{"a=b; session=abc", "abc"}, row{"a=b;session=abc", "abc"},
        row{"session=abc; session=def", "abc"}, row{"session=a=b", "a=b"}, row{"session=", ""},
        row{"session", ""}, row{"xsession=abc", ""}, row{"sessionx=abc", ""}, row{"; ;", ""},
        row{"", ""}}) {
    CAPTURE(header);
    CHECK(cookie_value(header, "session") == value);
  }
}

TEST_CASE("paths find their routes") {
  struct row {
    http_verb verb;
    const char* path;
    const char* found;
  };
  auto routes = shop_routes();

  for (const auto& [verb, path, found] : {
           row{http_verb::get, "/products/42", "GET /products/:id"},
           row{http_verb::head, "/products/42", "GET /products/:id"},
           row{http_verb::get, "/products/42/related", "GET /products/:id/related"},
           row{http_verb::get, "/products", "GET /products"},
           row{http_verb::delete_, "/orders/1", "DELETE /orders/:id"},
           row{http_verb::get, "/products/", ""},
           row{http_verb::get, "/products//related", ""},
           row{http_verb::get, "/products/42/", ""},
           row{http_verb::get, "/product", ""},
           row{http_verb::get, "/", ""},
           row{http_verb::get, "", ""},
           row{http_verb::get, "products/42", ""},
       }) {
    CAPTURE(path);
    auto match = routes.find(verb, path);
    CHECK((match.found ? match.found->name : "") == found);
  }
}

TEST_CASE("a capture is the segment that stands for it") {
  auto routes = shop_routes();

  auto match = routes.find(http_verb::get, "/products/42/related");

  REQUIRE(match.captures.size() == 1);
  CHECK(match.captures[0].first == "id");
  CHECK(match.captures[0].second == "42");
}

TEST_CASE("a path without the method names the methods it has") {
  auto routes = shop_routes();

  auto match = routes.find(http_verb::post, "/orders/1");

  CHECK(match.found == nullptr);
  CHECK(match.allowed == "GET, DELETE");
}

TEST_CASE("overload is told apart from our own fault") {
  struct row {
    scalekit::errc code;
    int status;
  };

  for (auto [code, status] : {
           row{scalekit::errc::acquire_timeout, 503},
           row{scalekit::errc::execution_timeout, 503},
           row{scalekit::errc::shed, 503},
           row{scalekit::errc::conflict, 503},
           row{scalekit::errc::disk_full, 503},
           row{scalekit::errc::read_only, 503},
           row{scalekit::errc::unavailable, 503},
           row{scalekit::errc::corrupt, 503},
           row{scalekit::errc::io_error, 503},
           row{scalekit::errc::closed, 503},
           row{scalekit::errc::invalid_statement, 500},
           row{scalekit::errc::commit_in_doubt, 500},
       }) {
    CAPTURE(static_cast<int>(code));
    auto answer = to_problem({code, "secret: select 1"}).to_response();
    CHECK(answer.status == status);
    CHECK(answer.body.find("select") == std::string::npos);
    CHECK(answer.headers.empty() == (status == 500));
  }
}

TEST_CASE("a problem is a document that a program can read") {
  auto answer = problem(409, "out-of-stock", "not enough").with("product", 7).to_response();

  auto document = boost::json::parse(answer.body).as_object();

  CHECK(answer.content_type == "application/problem+json");
  CHECK(document["type"] == "/problems/out-of-stock");
  CHECK(document["status"] == 409);
  CHECK(document["product"] == 7);
}

TEST_CASE("a query parameter is decoded, and control characters are refused") {
  http_message message(http_verb::get, "/search?prefix=a%2Bb+c&bad=%00", 11);

  request incoming(std::move(message), "127.0.0.1");

  CHECK(incoming.path() == "/search");
  CHECK(incoming.query("prefix") == "a+b c");
  CHECK(!incoming.query("absent"));
  CHECK_THROWS_AS(incoming.query("bad"), problem);
}

TEST_CASE("all lines of a header are read as one list, in the order in which they came") {
  http_message message(http_verb::get, "/", 11);
  message.insert("X-Forwarded-For", "6.6.6.6");
  message.insert("Accept", "text/plain");
  message.insert("x-forwarded-for", "198.51.100.7, 10.0.0.1");

  request incoming(std::move(message), "127.0.0.1");

  CHECK(incoming.header_list("X-Forwarded-For") == "6.6.6.6,198.51.100.7, 10.0.0.1");
  CHECK(incoming.header_list("Forwarded") == "");
}

TEST_CASE("a client behind our proxy is whom the proxy's own line names, not the client's") {
  http_message message(http_verb::get, "/", 11);
  message.insert("X-Forwarded-For", "6.6.6.6");
  message.insert("X-Forwarded-For", "198.51.100.7");
  request incoming(std::move(message), "127.0.0.1");

  limits(options{}).identify(incoming);

  CHECK(incoming.address == *scalekit::limit::ip_address::parse("198.51.100.7"));
}

TEST_CASE("a target that is not a path is refused") {
  for (auto* target : {"", "products", "http://elsewhere/", "/a b", "/%zz"}) {
    CAPTURE(target);
    http_message message(http_verb::get, target, 11);
    CHECK_THROWS_AS(request(std::move(message), "127.0.0.1"), problem);
  }
}

}  // namespace
