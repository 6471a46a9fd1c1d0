#include "running_shop.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace storefront_test;

TEST_CASE("what is not HTTP is answered with a problem, or not at all") {
  http_client stranger(running_shop().port());

  CHECK(stranger.raw("GARBAGE\r\n\r\n").status == 400);
  CHECK(stranger.raw("GET / HTTP/9.9\r\n\r\n").status == 400);
  CHECK(stranger.raw("GET http://elsewhere/ HTTP/1.1\r\n\r\n").status == 400);
  CHECK(stranger.raw("GET /%zz HTTP/1.1\r\n\r\n").status == 400);
  CHECK(stranger.raw("POST /orders HTTP/1.1\r\nContent-Length: x\r\n\r\n").status == 400);
  CHECK(stranger.get("/healthz").status == 200);
}

TEST_CASE("a header or a body that is too large is refused before it is read") {
  http_client stranger(running_shop().port());

  CHECK(stranger.raw("GET / HTTP/1.1\r\nX: " + std::string(10'000, 'x') + "\r\n\r\n").status ==
        431);
  auto answer = stranger.raw("POST /orders HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n" +
                             std::string(200'000, 'x'));
  CHECK(answer.status == 413);
  CHECK(stranger.get("/healthz").status == 200);
}

TEST_CASE("a page asked for by the wrong method names the right ones") {
  http_client customer(running_shop().port(), "10.4.0.1");

  auto answer = customer.send("DELETE", "/products/1", {});

  CHECK(answer.status == 405);
  CHECK(answer.header("Allow") == "GET");
  CHECK(customer.send("GET", "/login", {}).status == 405);
  CHECK(customer.get("/nowhere").status == 404);
  CHECK(customer.send("BREW", "/products/1", {}).status == 405);
}

TEST_CASE("one client that asks too often is refused, and others are not") {
  // A rate that no machine is too slow to exceed.
  temporary_directory dir;
  process shop(dir.path(), {"--client-rate", "1", "--catalogue", "generated:20"});
  http_client abuser(shop.port(), "10.4.0.2");
  http_client customer(shop.port(), "10.4.0.3");
  reply refused;
  for (int i = 0; i < 100 && refused.status != 429; ++i) refused = abuser.get("/products/1");

  CHECK(refused.status == 429);
  CHECK(!refused.header("Retry-After").empty());
  CHECK(refused.header("RateLimit-Policy").find("client") != std::string::npos);
  CHECK(customer.get("/products/1").status == 200);
}

TEST_CASE("requests sent one behind the other are answered in order") {
  http_client customer(running_shop().port());
  std::string one = "GET /products/1 HTTP/1.1\r\nX-Forwarded-For: 10.4.0.4\r\n\r\n";

  auto first = customer.raw(one + "GET /products/2 HTTP/1.1\r\n\r\n");

  CHECK(first.json()["id"] == 1);
}

}  // namespace
