#include "catalogue/source.hpp"
#include "running_shop.hpp"

#include <boost/json/array.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace storefront_test;
namespace json = boost::json;

/// What the shop was filled with: the generator always makes the same.
const std::vector<storefront::package_record>& catalogue() {
  static const auto records = [] {
    std::vector<storefront::package_record> all;
    storefront::generate_records(300, [&](auto record) { all.push_back(std::move(record)); });
    return all;
  }();
  return records;
}

/// Where the link of a page leads; "" when it has none.
std::string next_of(const reply& page) {
  const auto link = page.header("Link");
  return link.empty() ? "" : link.substr(1, link.find('>') - 1);
}

std::vector<std::string> names_in(const reply& page) {
  std::vector<std::string> names;
  const auto document = page.json();
  for (const auto& product : document.at("products").as_array()) {
    names.emplace_back(product.at("name").as_string());
  }
  return names;
}

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

TEST_CASE("following the links of a category shows each of its products once, and no other") {
  http_client customer(running_shop().port(), "10.1.0.5");
  std::vector<std::string> expected;
  for (const auto& record : catalogue()) {
    if (record.section == "libs") expected.push_back(record.name);
  }
  REQUIRE(expected.size() > 5);
  std::vector<std::string> seen;
  std::string target = "/products?category=libs&limit=5";

  for (int page = 0; page < 100 && !target.empty(); ++page) {
    auto answer = customer.get(target);
    REQUIRE(answer.status == 200);
    auto names = names_in(answer);
    CHECK(names.size() <= 5);
    seen.insert(seen.end(), names.begin(), names.end());
    target = next_of(answer);
  }

  CHECK(seen == expected);
}

TEST_CASE("a cursor that was changed, made up or is of another list is refused, and says so") {
  http_client customer(running_shop().port(), "10.1.0.10");
  const auto next = next_of(customer.get("/products?category=libs&limit=5"));
  REQUIRE(customer.get(next).status == 200);
  const auto cursor = next.substr(next.rfind('=') + 1);
  auto changed = cursor;
  changed[4] = changed[4] == 'A' ? 'B' : 'A';

  for (const auto& target :
       {"/products?category=libs&after=" + changed, "/products?category=libs&after=" + cursor + "A",
        "/products?category=admin&after=" + cursor,
        // As lists had them that were not signed: after id 8.
        std::string("/products?category=libs&after=AQEAOBcSgEw")}) {
    CAPTURE(target);
    const auto answer = customer.get(target);
    CHECK(answer.status == 400);
    CHECK(answer.json()["type"] == "/problems/bad-request");
    CHECK(answer.json()["detail"].as_string().starts_with("after is not a cursor of this list"));
  }
}

TEST_CASE("a search by prefix finds the first names, in order") {
  http_client customer(running_shop().port(), "10.1.0.6");
  std::vector<std::string> expected;
  for (const auto& record : catalogue()) {
    if (record.name.starts_with("steel-")) expected.push_back(record.name);
  }
  std::sort(expected.begin(), expected.end());
  REQUIRE(expected.size() > 20);
  expected.resize(20);

  auto answer = customer.get("/search?prefix=steel-");

  REQUIRE(answer.status == 200);
  CHECK(names_in(answer) == expected);
  CHECK(customer.get("/search?prefix=zzz").json()["products"].as_array().empty());
}

TEST_CASE("what goes with a product is what its supplier names, in that order") {
  http_client customer(running_shop().port(), "10.1.0.9");
  const auto& record = *std::find_if(catalogue().begin(), catalogue().end(), [](const auto& r) {
    return r.depends.size() > 3 && !std::is_sorted(r.depends.begin(), r.depends.end());
  });

  auto answer =
      customer.get("/products/" + std::to_string(1 + (&record - catalogue().data())) + "/related");

  CHECK(answer.status == 200);
  CHECK(names_in(answer) == record.depends);
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
  auto price = customer.get("/products/30").json()["price_cents"].as_int64();
  REQUIRE(customer.post("/orders", order_body(150, 30, 2)).status == 201);
  REQUIRE(customer.post("/orders", order_body(150, 30, 3)).status == 201);
  let_replicas_follow();

  // Nobody has asked for this one, so that no cache has it.
  auto answer = customer.get("/retailers/150/dashboard");

  REQUIRE(answer.status == 200);
  CHECK(answer.json()["name"] == "Retailer 150");
  CHECK(answer.json()["orders"] == 2);
  CHECK(answer.json()["orders_total_cents"] == 5 * price);
  CHECK(!answer.json()["categories"].as_array().empty());
  CHECK(customer.get("/retailers/100000/dashboard").status == 404);
}

}  // namespace
