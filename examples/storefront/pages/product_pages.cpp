#include "http/problem.hpp"
#include "pages/asked_by.hpp"
#include "pages/pages.hpp"

#include <scalekit/http/etag.hpp>
#include <scalekit/http/keyset.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <charconv>
#include <vector>

namespace storefront {
namespace {

namespace asio = boost::asio;
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

/// The id after which the page begins. A cursor is input from outside like any other.
std::int64_t position_of(const request& incoming) {
  auto cursor = incoming.query("after");
  if (!cursor) return 0;
  auto fields = scalekit::http::decode_cursor(*cursor, 1);
  std::int64_t id = 0;
  if (fields) {
    const auto& text = fields->front();
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error == std::errc{} && end == text.data() + text.size()) return id;
  }
  throw bad_request("after is not a cursor of this list");
}

std::string text_query(const request& incoming, std::string_view name, std::size_t most) {
  auto text = incoming.query(name);
  if (!text || text->empty() || text->size() > most) {
    throw bad_request(std::string(name) + " must be given, with 1 to " + std::to_string(most) +
                      " bytes");
  }
  return std::move(*text);
}

asio::awaitable<response> products_of_category(shop& shop, request& incoming) {
  auto category = text_query(incoming, "category", 64);
  auto limit = limit_of(incoming);
  auto after = position_of(incoming);

  // Keyset: page 1000 costs what page 1 costs, which "offset" could not promise. One row more
  // than asked for tells whether there is a next page.
  auto rows = co_await shop.db.async_read<listed_product>(
      sql("select id, name, version, price_cents from product "
          "where category = $1 and id > $2 order by id limit $3",
          category, after, limit + 1),
      for_browsing(incoming.scope), asio::use_awaitable);
  bool more = std::ssize(rows) > limit;
  if (more) rows.pop_back();

  auto answer = json_response(
      200,
      boost::json::object{{"category", category}, {"products", boost::json::value_from(rows)}});
  if (more) {
    auto cursor = scalekit::http::encode_cursor({std::to_string(rows.back().id)});
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
