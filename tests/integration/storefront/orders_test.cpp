#include "running_shop.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <barrier>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace storefront_test;

TEST_CASE("an order is acknowledged, and then paid, picked and confirmed") {
  http_client customer(running_shop().port(), "10.2.0.1");

  auto placed = customer.post("/orders", order_body(3, 20, 5));

  REQUIRE(placed.status == 201);
  auto location = placed.header("Location");
  CHECK(location == "/orders/" + std::to_string(placed.json()["order_id"].as_int64()));
  auto status = get_until(customer, location, [](const reply& r) {
    auto order = r.json();
    return order["paid"] == true && order["picked"] == true && order["confirmed"] == true;
  });
  CHECK(status.json()["confirmed"] == true);
  CHECK(status.json()["paid"] == true);
  CHECK(status.json()["picked"] == true);
  auto email_job = placed.json()["jobs"].at("email").as_string();
  CHECK(std::filesystem::exists(shop_directory() / "outbox" / (std::string(email_job) + ".eml")));
}

TEST_CASE("an order takes the goods from the page that a customer sees next") {
  http_client customer(running_shop().port(), "10.2.0.2");
  auto before = customer.get("/products/21").json()["stock"].as_int64();

  REQUIRE(customer.post("/orders", order_body(3, 21, 4)).status == 201);

  CHECK(customer.get("/products/21").json()["stock"] == before - 4);
}

TEST_CASE("more than there is cannot be ordered, and nothing of that order remains") {
  http_client customer(running_shop().port(), "10.2.0.3");
  auto stock = customer.get("/products/22").json()["stock"].as_int64();
  std::string both = R"({"retailer":3,"lines":[{"product":23,"quantity":1},{"product":22,)"
                     R"("quantity":)" +
                     std::to_string(stock + 1) + "}]}";
  auto other = customer.get("/products/23").json()["stock"].as_int64();

  auto refused = customer.post("/orders", both);

  CHECK(refused.status == 409);
  CHECK(refused.json()["product"] == 22);
  CHECK(refused.json()["stock"] == stock);
  CHECK(customer.get("/products/22").json()["stock"] == stock);
  CHECK(customer.get("/products/23").json()["stock"] == other);
  CHECK(customer.post("/orders", order_body(3, 22, stock)).status == 201);
  CHECK(customer.post("/orders", order_body(3, 22, 1)).status == 409);
}

TEST_CASE("of many customers who want the last pieces at once, as many get one as there are") {
  constexpr std::ptrdiff_t pieces = 5;
  constexpr std::ptrdiff_t customers = 8;
  http_client first(running_shop().port(), "10.2.0.6");
  auto stock = first.get("/products/24").json()["stock"].as_int64();
  REQUIRE(stock > pieces);
  REQUIRE(first.post("/orders", order_body(3, 24, stock - pieces)).status == 201);
  std::barrier all_there(customers);
  std::vector<int> answers(customers);

  {
    std::vector<std::jthread> crowd;
    for (std::ptrdiff_t i = 0; i < customers; ++i) {
      crowd.emplace_back([&, i] {
        http_client customer(running_shop().port(), "10.2.1." + std::to_string(i));
        auto& answer = answers[static_cast<std::size_t>(i)];
        all_there.arrive_and_wait();
        // A busy shop says that it has not taken the order, and asks to come again.
        for (int attempt = 0; attempt < 20 && (answer == 0 || answer == 503); ++attempt) {
          answer = customer.post("/orders", order_body(3, 24, 1)).status;
        }
      });
    }
  }

  CHECK(std::count(answers.begin(), answers.end(), 201) == pieces);
  CHECK(std::count(answers.begin(), answers.end(), 409) == customers - pieces);
  CHECK(first.get("/products/24").json()["stock"] == 0);
}

TEST_CASE("an order for what does not exist is not found") {
  http_client customer(running_shop().port(), "10.2.0.4");

  CHECK(customer.post("/orders", order_body(3, 301, 1)).status == 404);
  CHECK(customer.post("/orders", order_body(201, 1, 1)).status == 404);
  CHECK(customer.get("/orders/999999").status == 404);
  CHECK(customer.get("/orders/x").status == 404);
}

TEST_CASE("a malformed order is refused with a reason") {
  http_client customer(running_shop().port(), "10.2.0.5");

  for (const auto& body :
       {std::string("{"), std::string("[]"), std::string("\0\0", 2), order_body(3, 1, 0),
        order_body(3, 1, -1), order_body(3, 1, 1'000'001), order_body(-3, 1, 1),
        std::string(R"({"retailer":"3","lines":[]})"), std::string(20'000, '[')}) {
    CAPTURE(body);
    auto answer = customer.post("/orders", body);
    CHECK(answer.status == 400);
    CHECK(answer.json()["type"] == "/problems/bad-request");
  }
}

}  // namespace
