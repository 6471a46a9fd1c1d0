#include "running_shop.hpp"

#include <boost/json/array.hpp>
#include <doctest/doctest.h>

#include <set>

namespace {

using namespace storefront_test;
namespace json = boost::json;

TEST_CASE("a product is shown by its id") {
  http_client customer(running_shop().port(), "10.1.0.1");

  auto answer = customer.get("/products/7");

  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Type") == "application/json");
  auto product = answer.json();
  CHECK(product["id"] == 7);
  CHECK(product["price_cents"].as_int64() > 0);
  CHECK(product["name"].as_string().ends_with("-7"));
}

TEST_CASE("a page that the client has already is not sent again") {
  http_client customer(running_shop().port(), "10.1.0.2");
  auto etag = customer.get("/products/8").header("ETag");
  REQUIRE(!etag.empty());

  auto answer = customer.send("GET", "/products/8", {}, {{"If-None-Match", etag}});

  CHECK(answer.status == 304);
  CHECK(answer.body.empty());
}

TEST_CASE("HEAD is GET without the body") {
  http_client customer(running_shop().port(), "10.1.0.3");
  auto length = customer.get("/products/9").header("Content-Length");

  auto answer = customer.send("HEAD", "/products/9", {});

  CHECK(answer.status == 200);
  CHECK(answer.header("Content-Length") == length);
}

TEST_CASE("products that do not exist are not found") {
  http_client customer(running_shop().port(), "10.1.0.4");

  for (auto* path : {"/products/301", "/products/0", "/products/-1", "/products/x", "/products/7x",
                     "/products/99999999999999999999", "/products/%37%00", "/products/"}) {
    CAPTURE(path);
    auto answer = customer.get(path);
    CHECK((answer.status == 404 || answer.status == 400));
    CHECK(answer.header("Content-Type") == "application/problem+json");
  }
}

TEST_CASE("following the links of a category shows each of its products once") {
  http_client customer(running_shop().port(), "10.1.0.5");
  std::set<std::int64_t> seen;
  std::size_t total = 0;
  std::string target = "/products?category=libs&limit=5";

  for (int page = 0; page < 100 && !target.empty(); ++page) {
    auto answer = customer.get(target);
    REQUIRE(answer.status == 200);
    auto products = answer.json()["products"].as_array();
    CHECK(products.size() <= 5);
    total += products.size();
    for (auto& product : products) seen.insert(product.at("id").as_int64());
    auto link = answer.header("Link");
    target = link.empty() ? "" : link.substr(1, link.find('>') - 1);
  }

  CHECK(total > 5);
  CHECK(seen.size() == total);
}

TEST_CASE("a search by prefix finds names in order") {
  http_client customer(running_shop().port(), "10.1.0.6");

  auto answer = customer.get("/search?prefix=steel-");

  REQUIRE(answer.status == 200);
  auto products = answer.json()["products"].as_array();
  REQUIRE(!products.empty());
  for (auto& product : products) CHECK(product.at("name").as_string().starts_with("steel-"));
  CHECK(customer.get("/search?prefix=zzz").json()["products"].as_array().empty());
}

TEST_CASE("a list or a search asked for wrongly is refused with a reason") {
  http_client customer(running_shop().port(), "10.1.0.7");

  for (auto* target : {"/products", "/products?category=", "/products?category=libs&limit=0",
                       "/products?category=libs&limit=101", "/products?category=libs&limit=x",
                       "/products?category=libs&after=junk",
                       "/products?category=libs&after=", "/products?category=%00", "/search",
                       "/search?prefix=", "/search?prefix=%00%01"}) {
    CAPTURE(target);
    auto answer = customer.get(target);
    CHECK(answer.status == 400);
    CHECK(answer.json()["type"] == "/problems/bad-request");
  }
}

TEST_CASE("a dashboard counts what was ordered") {
  http_client customer(running_shop().port(), "10.1.0.8");

  auto answer = customer.get("/retailers/5/dashboard");

  REQUIRE(answer.status == 200);
  CHECK(answer.json()["name"] == "Retailer 5");
  CHECK(!answer.json()["categories"].as_array().empty());
  CHECK(customer.get("/retailers/100000/dashboard").status == 404);
}

}  // namespace
