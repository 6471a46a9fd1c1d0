#include "pages/place_order.hpp"

#include "http/json_fields.hpp"
#include "http/problem.hpp"

#include <scalekit/core/clock.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>

namespace storefront {

using scalekit::db::sql;
using scalekit::db::transaction;
namespace queue = scalekit::queue;

namespace {

constexpr std::int64_t largest_id = INT64_MAX;
constexpr std::int64_t most_of_one = 1'000'000;
constexpr std::size_t most_lines = 50;

//[take-goods
/// Takes `line` from the stock and returns the price of one.
std::int64_t take_goods(transaction& tx, const order_request::line& line) {
  // The condition is in the statement itself: reading first and writing then would be a race,
  // had this database more than one writer.
  auto price = tx.write<std::int64_t>(
      sql("update product set stock = stock - $2 where id = $1 and stock >= $2 "
          "returning price_cents",
          line.product, line.quantity));
  if (!price.empty()) return price.front();

  auto stock =
      tx.read_optional<std::int64_t>(sql("select stock from product where id = $1", line.product));
  if (!stock) throw not_found("there is no product " + std::to_string(line.product));
  throw problem(409, "out-of-stock", "there is not enough of a product")
      .with("product", line.product)
      .with("stock", *stock);
}
//]

void enqueue_jobs(shop& shop, transaction& tx, placed_order& order) {
  auto number = std::to_string(order.id);
  if (!shop.jobs) {
    order.payment_job = "direct-payment-" + number;
    order.inventory_job = "direct-inventory-" + number;
    order.email_job = "direct-email-" + number;
    return;
  }
  //[enqueue
  // Part of the transaction: there is no order without its jobs, and no job without its order.
  const std::array<queue::job_request, 3> requests{
      queue::job_request{"payment", number, {.priority = queue::high}},
      queue::job_request{"inventory", number, {}},
      queue::job_request{"email", number, {.priority = queue::low}}};
  auto ids = shop.jobs->enqueue_many(tx, requests);
  //]
  order.payment_job = std::to_string(ids[0]);
  order.inventory_job = std::to_string(ids[1]);
  order.email_job = std::to_string(ids[2]);
}

}  // namespace

order_request parse_order(std::string_view body) {
  auto fields = parse_object(body);
  order_request wanted;
  wanted.retailer = integer_field(fields, "retailer", 1, largest_id);
  for (const auto& element : array_field(fields, "lines", most_lines)) {
    const auto* line = element.if_object();
    if (line == nullptr) throw bad_request("each of \"lines\" must be an object");
    wanted.lines.push_back({.product = integer_field(*line, "product", 1, largest_id),
                            .quantity = integer_field(*line, "quantity", 1, most_of_one)});
  }
  // Goods are taken in one order by all: two orders of the same products cannot wait for each
  // other.
  std::sort(wanted.lines.begin(), wanted.lines.end(),
            [](const auto& a, const auto& b) { return a.product < b.product; });
  return wanted;
}

placed_order place_order(shop& shop, transaction& tx, const order_request& wanted) {
  if (!tx.read_optional<std::int64_t>(
          sql("select id from retailer where id = $1", wanted.retailer))) {
    throw not_found("there is no retailer " + std::to_string(wanted.retailer));
  }
  placed_order order;
  std::vector<std::int64_t> prices;
  for (const auto& line : wanted.lines) {
    prices.push_back(take_goods(tx, line));
    order.total_cents += prices.back() * line.quantity;
  }

  order.id = tx.write_one<std::int64_t>(
      sql("insert into orders (retailer_id, placed_at, total_cents, payment_job, inventory_job, "
          "email_job) values ($1, $2, $3, '', '', '') returning id",
          wanted.retailer, scalekit::clock::system().wall_now(), order.total_cents));
  for (std::size_t i = 0; i < wanted.lines.size(); ++i) {
    const auto& line = wanted.lines[i];
    tx.write(
        sql("insert into order_line (order_id, line, product_id, quantity, price_cents) "
            "values ($1, $2, $3, $4, $5)",
            order.id, static_cast<std::int64_t>(i + 1), line.product, line.quantity, prices[i]));
  }

  enqueue_jobs(shop, tx, order);
  tx.write(
      sql("update orders set payment_job = $2, inventory_job = $3, email_job = $4 "
          "where id = $1",
          order.id, order.payment_job, order.inventory_job, order.email_job));
  return order;
}

}  // namespace storefront
