#include "catalogue/retailers.hpp"

#include "password.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace storefront {
namespace {

using scalekit::db::sql;
using scalekit::db::transaction;

constexpr std::int64_t most_past_sales = 60'000;

void add_past_sales(transaction& tx, std::int64_t products) {
  std::mt19937_64 engine(7);
  auto one_of = [&](std::int64_t limit) {
    return 1 + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(limit));
  };
  auto sales = std::min(most_past_sales, products * 20);
  std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t>>
      rows;
  for (std::int64_t i = 0; i < sales; ++i) {
    // One draw a line: the order of arguments is the compiler's choice.
    auto retailer = one_of(retailer_count);
    auto product = one_of(products);
    auto month = one_of(24);
    auto quantity = one_of(50);
    auto price_cents = one_of(50'000);
    rows.emplace_back(retailer, product, month, quantity, quantity * price_cents);
  }
  tx.insert_many({"past_sale", {"retailer_id", "product_id", "month", "quantity", "revenue_cents"}},
                 rows);
}

}  // namespace

void add_retailers(transaction& tx, std::int64_t products) {
  for (std::int64_t id = 1; id <= retailer_count; ++id) {
    auto number = std::to_string(id);
    tx.write(sql("insert into retailer (id, name, email) values ($1, $2, $3)", id,
                 "Retailer " + number, "orders@retailer" + number + ".example"));
    tx.write(sql("insert into account (name, retailer_id, password_hash) values ($1, $2, $3)",
                 "retailer" + number, id, hash_password("wholesale-" + number)));
  }
  add_past_sales(tx, products);
}

}  // namespace storefront
