// Two shops that sell the same goods, and keep their pages on one server.

#include "running_shop.hpp"
#include "support/postgres/cluster.hpp"
#include "support/redis/server.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

using namespace storefront_test;

namespace {

std::int64_t stock_in(const reply& page) {
  return page.json().at("stock").as_int64();
}

boost::json::object cache_of(http_client& shop) {
  const auto stats = shop.get("/stats").json();
  return stats.at("cache").as_object().at("memory_store").as_object();
}

}  // namespace

TEST_CASE("a page shows what the other shop has sold") {
  support::postgres::cluster database({.replicas = 0});
  support::redis::server pages;
  temporary_directory here, there;
  const std::vector<std::string> how{"--catalogue",  "generated:300", "--database",
                                     database.url(), "--cache",       pages.url()};
  process one(here.path(), how), two(there.path(), how);
  http_client buyer(one.port(), "10.8.0.1"), reader(two.port(), "10.8.0.2");
  http_client operator_of_two(two.port());
  REQUIRE(
      support::wait_until([&] { return cache_of(operator_of_two).at("hears_changes").as_bool(); }));

  for (std::int64_t product = 30; product < 40; ++product) {
    const auto page = "/products/" + std::to_string(product);
    const auto before = stock_in(reader.get(page));
    for (int i = 0; i < 3; ++i) CHECK(stock_in(reader.get(page)) == before);

    REQUIRE(buyer.post("/orders", order_body(1, product, 2)).status == 201);

    CHECK(stock_in(buyer.get(page)) == before - 2);
    const auto after =
        get_until(reader, page, [&](const reply& r) { return stock_in(r) != before; });
    CHECK(stock_in(after) == before - 2);
  }
  const auto told = cache_of(operator_of_two);
  CHECK(told.at("changes_heard").to_number<std::int64_t>() >= 10);
  CHECK(told.at("memory_hits").to_number<std::int64_t>() > 0);
}
