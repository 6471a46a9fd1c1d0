#include "http/problem.hpp"
#include "pages/asked_by.hpp"
#include "pages/pages.hpp"

#include <scalekit/db/keyset.hpp>
#include <scalekit/http/etag.hpp>
#include <scalekit/http/next_link.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace storefront {
namespace {

namespace asio = boost::asio;
namespace db = scalekit::db;
using scalekit::db::sql;

// GET /products/:id

struct product {
  std::int64_t id = 0;
  std::string name;
  std::string version;
  std::string category;
  std::string manufacturer;
  std::string description;
  std::int64_t size_bytes = 0;
  std::int64_t price_cents = 0;
  std::int64_t stock = 0;
};
BOOST_DESCRIBE_STRUCT(product, (),
                      (id, name, version, category, manufacturer, description, size_bytes,
                       price_cents, stock))

/// What is cached is the finished body: a hit costs neither the database nor the serialiser.
std::string load_product(shop& shop, std::int64_t id, const scalekit::request_scope& scope) {
  auto found = shop.db.read<product>(
      sql("select id, name, version, category, manufacturer, description, size_bytes, "
          "price_cents, stock from product where id = $1",
          id),
      {.scope = scope});
  if (found.empty()) throw not_found("there is no such product");
  return boost::json::serialize(boost::json::value_from(found.front()));
}

//[product-by-id
asio::awaitable<response> product_by_id(shop& shop, request& incoming) {
  auto id = incoming.capture_id("product");
  auto load = [&shop, id, scope = incoming.scope] { return load_product(shop, id, scope); };
  auto body = co_await shop.pages.get_or_load(page_type::product, product_key(id), load);
  auto etag = scalekit::http::strong_etag(body);
  if (scalekit::http::matches_etag(incoming.header("If-None-Match"), etag)) {
    co_return response{.status = 304, .body = {}, .headers = {{"ETag", etag}}};
  }
  co_return response{.body = std::move(body), .headers = {{"ETag", etag}}};
}
//]

// GET /products?category=...&after=...&limit=...

struct listed_product {
  std::int64_t id = 0;
  std::string name;
  std::string version;
  std::int64_t price_cents = 0;
};
BOOST_DESCRIBE_STRUCT(listed_product, (), (id, name, version, price_cents))

std::int64_t limit_of(const request& incoming) {
  auto text = incoming.query("limit").value_or("20");
  std::int64_t limit = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size() || limit < 1 || limit > 100) {
    throw bad_request("limit must be a number from 1 to 100");
  }
  return limit;
}

std::string text_query(const request& incoming, std::string_view name, std::size_t most) {
  auto text = incoming.query(name);
  if (!text || text->empty() || text->size() > most) {
    throw bad_request(std::string(name) + " must be given, with 1 to " + std::to_string(most) +
                      " bytes");
  }
  return std::move(*text);
}

//[listing
/// A list of its own for each category: the cursors of one are refused by the others.
db::keyset listing_of(const shop& shop, const std::string& category) {
  return db::keyset({.secret = shop.cursor_secret,
                     .context = "products of category " + category,
                     .columns = {"id"}});
}

/// At most `most` products from behind the cursor on, which is input from outside like any other.
db::statement page_of(const db::keyset& listing, const std::string& category,
                      const request& incoming, std::int64_t most) {
  const auto query =
      sql("select id, name, version, price_cents from product where category = $1", category);
  const auto cursor = incoming.query("after");
  const auto refusal = bad_request(
      "after is not a cursor of this list, or is damaged; start again from the first page");
  if (cursor && cursor->empty()) throw refusal;
  try {
    return listing.page(query, cursor.value_or(""), static_cast<std::size_t>(most));
  } catch (const scalekit::error& e) {
    if (e.code() == scalekit::errc::invalid_argument) throw refusal;
    throw;
  }
}
//]

asio::awaitable<response> products_of_category(shop& shop, request& incoming) {
  auto category = text_query(incoming, "category", 64);
  auto limit = limit_of(incoming);
  const auto listing = listing_of(shop, category);
  // One row more than asked for tells whether there is a next page.
  auto page = page_of(listing, category, incoming, limit + 1);
  auto rows = co_await shop.db.async_read<listed_product>(
      std::move(page), for_browsing(incoming.scope), asio::use_awaitable);
  bool more = std::ssize(rows) > limit;
  if (more) rows.pop_back();

  auto answer = json_response(
      200,
      boost::json::object{{"category", category}, {"products", boost::json::value_from(rows)}});
  if (more) {
    auto cursor = listing.cursor(rows.back().id);
    answer.headers.push_back(scalekit::http::next_link(incoming.target(), cursor));
  }
  co_return answer;
}

// GET /search?prefix=...

std::string load_search(shop& shop, const std::string& prefix,
                        const scalekit::request_scope& scope) {
  // A range that the index on name can serve: "like 'x%'" could not use it. The upper bound is
  // the prefix followed by the greatest character there is.
  auto rows =
      shop.db.read<listed_product>(sql("select id, name, version, price_cents from product "
                                       "where name >= $1 and name < $2 order by name limit 20",
                                       prefix, prefix + "\xF4\x8F\xBF\xBF"),
                                   for_browsing(scope));
  return boost::json::serialize(boost::json::object{{"products", boost::json::value_from(rows)}});
}

asio::awaitable<response> search(shop& shop, request& incoming) {
  auto prefix = text_query(incoming, "prefix", 64);
  auto load = [&shop, prefix, scope = incoming.scope] { return load_search(shop, prefix, scope); };
  auto body = co_await shop.pages.get_or_load(page_type::query, "search:" + prefix, load);
  co_return response{.body = std::move(body), .headers = {}};
}

// GET /products/:id/related

/// One query for the names, then one query for each name: the N+1 pattern, left here on purpose.
/// It is right, it is fast enough in a test, and the tracker reports it in /stats. The remedy
/// is a join: see docs/storefront.md.
asio::awaitable<response> related_products(shop& shop, request& incoming) {
  auto id = incoming.capture_id("product");
  auto names = co_await shop.db.async_read<std::string>(
      sql("select depends_on from dependency where product_id = $1 order by position", id),
      for_browsing(incoming.scope), asio::use_awaitable);
  std::vector<listed_product> related;
  for (const auto& name : names) {
    auto found = co_await shop.db.async_read<listed_product>(
        sql("select id, name, version, price_cents from product where name = $1", name),
        for_browsing(incoming.scope), asio::use_awaitable);
    related.insert(related.end(), found.begin(), found.end());
  }
  co_return json_response(200, boost::json::object{{"products", boost::json::value_from(related)}});
}

}  // namespace

void add_product_pages(router& routes, shop& shop) {
  routes.add(http_verb::get, "/products/:product",
             [&](request& r) { return product_by_id(shop, r); });
  routes.add(http_verb::get, "/products/:product/related",
             [&](request& r) { return related_products(shop, r); });
  routes.add(http_verb::get, "/products",
             [&](request& r) { return products_of_category(shop, r); });
  routes.add(http_verb::get, "/search", [&](request& r) { return search(shop, r); });
}

}  // namespace storefront
