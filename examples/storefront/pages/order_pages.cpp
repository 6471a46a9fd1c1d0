#include "http/problem.hpp"
#include "jobs/effects.hpp"
#include "pages/asked_by.hpp"
#include "pages/pages.hpp"
#include "pages/place_order.hpp"

#include <scalekit/core/async.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_from.hpp>

#include <vector>

namespace storefront {
namespace {

namespace asio = boost::asio;
using scalekit::db::sql;

// POST /orders {retailer, lines: [{product, quantity}]}

/// Mode direct: what the workers would do later is done now, while the customer waits. When the
/// process dies in between, the order stays without its effects: that is what the queue is for.
void do_jobs_now(shop& shop, const placed_order& order) {
  shop.db.transaction(
      [&](scalekit::db::transaction& tx) { take_payment(tx, order.payment_job, order.id); });
  shop.db.transaction(
      [&](scalekit::db::transaction& tx) { book_movements(tx, order.inventory_job, order.id); });
  send_confirmation(shop.db, shop.dirs, order.email_job, "1", order.id);
  shop.db.transaction(
      [&](scalekit::db::transaction& tx) { note_confirmation(tx, order.email_job, order.id); });
}

asio::awaitable<response> post_order(shop& shop, request& incoming) {
  auto wanted = parse_order(incoming.body());
  scalekit::db::transaction_options options;
  options.timeout = std::chrono::seconds(5);
  options.scope = incoming.scope;
  auto body = [&shop, wanted](scalekit::db::transaction& tx) {
    return place_order(shop, tx, wanted);
  };
  auto order = co_await shop.db.async_transaction(body, options, asio::use_awaitable);

  // Only now: a page that was loaded before the commit holds the old stock.
  for (const auto& line : wanted.lines) co_await shop.pages.forget_product(line.product);
  if (shop.jobs) {
    shop.jobs->wake();
  } else {
    auto work = [&shop, order](std::stop_token) {
      do_jobs_now(shop, order);
      return scalekit::done{};
    };
    co_await scalekit::async_blocking<scalekit::done>(shop.work, work, asio::use_awaitable);
  }
  auto answer = json_response(201, boost::json::object{{"order_id", order.id},
                                                       {"total_cents", order.total_cents},
                                                       {"jobs",
                                                        {{"payment", order.payment_job},
                                                         {"inventory", order.inventory_job},
                                                         {"email", order.email_job}}}});
  answer.headers.push_back({"Location", "/orders/" + std::to_string(order.id)});
  co_return answer;
}

// GET /orders/:id

struct order_status {
  std::int64_t order_id = 0;
  std::int64_t retailer = 0;
  std::int64_t total_cents = 0;
  bool paid = false;
  bool picked = false;
  bool confirmed = false;
};
BOOST_DESCRIBE_STRUCT(order_status, (), (order_id, retailer, total_cents, paid, picked, confirmed))

asio::awaitable<response> order_by_id(shop& shop, request& incoming) {
  auto id = incoming.capture_id("order");
  auto found = co_await shop.db.async_read<order_status>(
      sql("select o.id as order_id, o.retailer_id as retailer, o.total_cents, "
          "exists (select 1 from payment where order_id = o.id) as paid, "
          "exists (select 1 from inventory_movement where order_id = o.id) as picked, "
          "exists (select 1 from outbox where order_id = o.id) as confirmed "
          "from orders o where o.id = $1",
          id),
      asked_by(incoming), asio::use_awaitable);
  if (found.empty()) throw not_found("there is no such order");
  co_return json_response(200, boost::json::value_from(found.front()));
}

}  // namespace

void add_order_pages(router& routes, shop& shop) {
  routes.add(http_verb::post, "/orders", [&](request& r) { return post_order(shop, r); });
  routes.add(http_verb::get, "/orders/:order", [&](request& r) { return order_by_id(shop, r); });
}

}  // namespace storefront
