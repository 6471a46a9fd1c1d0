#include "http/problem.hpp"
#include "pages/place_order.hpp"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace storefront;

TEST_CASE("an order names a retailer and lines") {
  auto order = parse_order(R"({"retailer": 7, "lines": [{"product": 1, "quantity": 2},
                                                        {"product": 3, "quantity": 4}]})");

  CHECK(order.retailer == 7);
  REQUIRE(order.lines.size() == 2);
  CHECK(order.lines[1].product == 3);
  CHECK(order.lines[1].quantity == 4);
}

TEST_CASE("an order that is not one is refused with a reason") {
  struct row {
    std::string body;
    std::string reason;
  };
  std::string too_many = R"({"retailer":1,"lines":[)";
  for (int i = 0; i < 51; ++i) too_many += R"({"product":1,"quantity":1},)";
  too_many.back() = ']';
  too_many += '}';

  for (const auto& [body, reason] : {
           row{"", "not valid JSON"},
           row{"{", "not valid JSON"},
           row{"[]", "must be a JSON object"},
           row{std::string("\0", 1), "not valid JSON"},
           row{std::string(1000, '['), "not valid JSON"},
           row{R"({})", "\"retailer\" is missing"},
           row{R"({"retailer": "7"})", "\"retailer\" must be an integer"},
           row{R"({"retailer": 1.0})", "\"retailer\" must be an integer"},
           row{R"({"retailer": 0})", "\"retailer\" must be an integer"},
           row{R"({"retailer": 99999999999999999999})", "\"retailer\" must be an integer"},
           row{R"({"retailer": 1})", "\"lines\" is missing"},
           row{R"({"retailer": 1, "lines": []})", "\"lines\" must be an array"},
           row{R"({"retailer": 1, "lines": [1]})", "must be an object"},
           row{R"({"retailer": 1, "lines": [{"product": 1}]})", "\"quantity\" is missing"},
           row{R"({"retailer": 1, "lines": [{"product": 1, "quantity": 0}]})", "\"quantity\" must"},
           row{R"({"retailer": 1, "lines": [{"product": 1, "quantity": -1}]})",
               "\"quantity\" must"},
           row{R"({"retailer": 1, "lines": [{"product": null, "quantity": 1}]})",
               "\"product\" must"},
           row{too_many, "\"lines\" must be an array of 1 to 50"},
       }) {
    CAPTURE(body);
    try {
      parse_order(body);
      FAIL("accepted");
    } catch (const problem& refused) {
      CHECK(refused.status() == 400);
      CHECK(std::string(refused.what()).find(reason) != std::string::npos);
    }
  }
}

}  // namespace
