#include "scalekit/ops/load_request.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

using scalekit::ops::load_outcome;
using scalekit::ops::load_request;

namespace {

std::string wire(const load_request& request) {
  std::string out;
  request.append_to(out, "shop:80");
  return out;
}

}  // namespace

TEST_CASE("the default request is a GET without a body") {
  CHECK(wire({}) == "GET / HTTP/1.1\r\nHost: shop:80\r\nUser-Agent: scalekit-load\r\n\r\n");
}

TEST_CASE("headers and body are written with their length") {
  load_request request;
  request.method = "POST";
  request.target = "/orders?x=1";
  request.body = "{}";
  request.header("Content-Type", "application/json").header("X-User", "7");

  CHECK(wire(request) ==
        "POST /orders?x=1 HTTP/1.1\r\nHost: shop:80\r\nUser-Agent: scalekit-load\r\n"
        "Content-Type: application/json\r\nX-User: 7\r\nContent-Length: 2\r\n\r\n{}");
}

TEST_CASE("a POST without a body says so") {
  load_request request;
  request.method = "POST";

  CHECK(wire(request).find("Content-Length: 0\r\n") != std::string::npos);
}

TEST_CASE("clear brings back the defaults") {
  load_request request;
  request.kind = 3;
  request.client = 4;
  request.tag = 5;
  request.method = "POST";
  request.target = "/x";
  request.body = "y";
  request.header("A", "b");

  request.clear();

  CHECK(wire(request) == wire({}));
  CHECK(request.kind == 0);
  CHECK_FALSE(request.client.has_value());
  CHECK(request.tag == 0);
}

TEST_CASE("a request cannot smuggle in another") {
  load_request request;

  CHECK_THROWS_AS(request.header("A", "b\r\nC: d"), std::invalid_argument);
  CHECK_THROWS_AS(request.header("A\n", "b"), std::invalid_argument);
  CHECK_THROWS_AS(request.header("", "b"), std::invalid_argument);
  request.target = "/ HTTP/1.1\r\n\r\nGET /";
  CHECK_THROWS_AS(wire(request), std::invalid_argument);
  request.target = "";
  CHECK_THROWS_AS(wire(request), std::invalid_argument);
}

TEST_CASE("every status has one outcome") {
  using scalekit::ops::outcome_of;

  CHECK(outcome_of(200) == load_outcome::ok);
  CHECK(outcome_of(299) == load_outcome::ok);
  CHECK(outcome_of(304) == load_outcome::redirected);
  CHECK(outcome_of(400) == load_outcome::client_error);
  CHECK(outcome_of(429) == load_outcome::limited);
  CHECK(outcome_of(430) == load_outcome::client_error);
  CHECK(outcome_of(500) == load_outcome::server_error);
  CHECK(outcome_of(503) == load_outcome::server_error);
}
