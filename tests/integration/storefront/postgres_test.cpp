// The shop on a primary and two replicas.

#include "running_shop.hpp"

#include <boost/json/array.hpp>
#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace storefront_test;

namespace {

boost::json::array hosts() {
  http_client operator_of_it(running_shop().port());
  return operator_of_it.get("/stats").json().at("database").as_object().at("hosts").as_array();
}

}  // namespace

TEST_CASE("an order is there when its page is asked for right after it was placed") {
  http_client customer(running_shop().port(), "10.7.0.1");
  for (int i = 0; i < 30; ++i) {
    const auto placed = customer.post("/orders", order_body(1 + i % 5, 20, 1));
    REQUIRE(placed.status == 201);
    CHECK(customer.get(placed.header("Location")).status == 200);
  }
}

TEST_CASE("pages that may be half a second old come from replicas") {
  http_client customer(running_shop().port(), "10.7.0.2");
  for (int i = 0; i < 30; ++i) {
    REQUIRE(
        customer.get("/search?prefix=" + std::string(1, static_cast<char>('a' + i % 26))).status ==
        200);
  }

  std::set<std::string> roles;
  std::int64_t on_replicas = 0;
  for (const auto& each : hosts()) {
    const auto& host = each.as_object();
    const std::string role(host.at("role").as_string());
    roles.insert(role);
    if (role == "replica") on_replicas += host.at("reads").to_number<std::int64_t>();
  }
  CHECK(roles == std::set<std::string>{"primary", "replica"});
  CHECK(on_replicas > 0);
}
