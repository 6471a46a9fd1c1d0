#pragma once

// Pages of a listing.

#include "conformance/db_suite_fixture.hpp"

#include <string>
#include <vector>

namespace db_suite {

TEST_CASE("db: pages go through all rows once, in order, from either end") {
  for (const bool descending : {false, true}) {
    CAPTURE(descending);
    shop s;
    for (int i = 10; i < 20; ++i) {
      s.client.write(sql("insert into product (id, name, price) values ($1, $2, $3)", i,
                         "p" + std::to_string(i), i % 3));
    }
    const db::keyset by_price({.secret = "a secret of some bytes",
                               .context = "products by price",
                               .columns = {"price", "id"},
                               .descending = descending});
    std::vector<product> seen;
    std::string after;

    for (int page = 0; page < 10; ++page) {
      const auto rows = s.client.read<product>(by_price.page(
          sql("select id, name, price from product where price < $1 -- not the sofa", 100), after,
          4));
      seen.insert(seen.end(), rows.begin(), rows.end());
      if (rows.size() < 4) break;
      after = by_price.cursor(*rows.back().price, rows.back().id);
    }

    CHECK(seen ==
          s.client.read<product>(unsafe_sql(
              std::string("select id, name, price from product where price < 100 order by ") +
              (descending ? "price desc, id desc" : "price, id"))));
    CHECK(seen.size() == 10);
  }
}

TEST_CASE("db: a cursor holds text and numbers as the database compares them") {
  shop s;
  const db::keyset by_name(
      {.secret = "a secret of some bytes", .context = "products", .columns = {"name", "id"}});

  const auto page =
      by_name.page(sql("select id, name, price from product"), by_name.cursor("chair", 2), 10);

  CHECK(s.client.read_one<product>(page) == product{1, "sofa", 250.5});
  CHECK_ERRC(by_name.page(sql("select 1"), "forged", 10), errc::invalid_argument);
}

}  // namespace db_suite
