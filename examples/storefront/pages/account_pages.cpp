#include "http/cookie.hpp"
#include "http/json_fields.hpp"
#include "http/problem.hpp"
#include "pages/asked_by.hpp"
#include "pages/pages.hpp"
#include "password.hpp"

#include <scalekit/core/async.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <boost/describe/class.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>

#include <tuple>
#include <vector>

namespace storefront {
namespace {

namespace asio = boost::asio;
using scalekit::db::sql;

/// SameSite, so that no other site's page acts in the name of who is logged in; behind TLS it would
/// be Secure too.
constexpr std::string_view cookie_attributes = "; Path=/; HttpOnly; SameSite=Strict";

std::string session_id(const request& incoming) {
  return std::string(cookie_value(incoming.header("Cookie"), "session"));
}

using session = scalekit::cache::session<std::int64_t>;

asio::awaitable<session> who_is_it(shop& shop, const request& incoming) {
  auto found = co_await shop.sessions.async_load<std::int64_t>(session_id(incoming), {},
                                                               asio::use_awaitable);
  if (!found) throw problem(401, "not-logged-in", "log in first");
  co_return std::move(*found);
}

// POST /login {user, password}

asio::awaitable<response> login(shop& shop, request& incoming) {
  auto fields = parse_object(incoming.body());
  auto user = text_field(fields, "user", 64);
  auto password = text_field(fields, "password", 256);

  auto decision = shop.limiter.check_login(incoming, user);
  if (!decision.allowed()) throw too_many_requests(decision);

  using account = std::tuple<std::int64_t, std::string>;
  auto accounts = co_await shop.db.async_read<account>(
      sql("select retailer_id, password_hash from account where name = $1", user),
      for_browsing(incoming.scope), asio::use_awaitable);
  auto [retailer, hash] = accounts.empty() ? account{0, hash_of_nobody()} : accounts.front();
  // Slow on purpose, so not on the thread that serves everybody else.
  auto verify = [password, hash = hash](std::stop_token) {
    return verify_password(password, hash);
  };
  bool matches = co_await scalekit::async_blocking<bool>(shop.work, verify, asio::use_awaitable);
  if (!matches || accounts.empty()) {
    throw problem(401, "wrong-credentials", "user or password is wrong");
  }
  shop.limiter.forget_login(incoming, user);
  //[login
  // A new id, whatever the client came with: nobody can have planted it.
  co_await shop.sessions.async_destroy(session_id(incoming), {}, asio::use_awaitable);
  auto id = co_await shop.sessions.async_create(user, retailer, {}, asio::use_awaitable);
  //]
  auto answer = json_response(200, boost::json::object{{"retailer", retailer}});
  answer.headers.push_back({"Set-Cookie", "session=" + id + std::string(cookie_attributes)});
  co_return answer;
}

// GET /session

asio::awaitable<response> show_session(shop& shop, request& incoming) {
  const auto known = co_await who_is_it(shop, incoming);
  co_return json_response(200, boost::json::object{{"user", known.user}, {"retailer", known.data}});
}

// POST /logout, of this client; POST /logout-everywhere, of all that are logged in as this user

asio::awaitable<response> logout(shop& shop, request& incoming, bool everywhere) {
  const auto known = co_await who_is_it(shop, incoming);
  if (everywhere) {
    co_await shop.sessions.async_destroy_all(known.user, {}, asio::use_awaitable);
  } else {
    co_await shop.sessions.async_destroy(session_id(incoming), {}, asio::use_awaitable);
  }
  auto answer = json_response(200, boost::json::object{{"logged_out", known.user}});
  answer.headers.push_back(
      {"Set-Cookie", "session=" + std::string(cookie_attributes) + "; Max-Age=0"});
  co_return answer;
}

// GET /retailers/:id/dashboard

struct category_share {
  std::string category;
  std::int64_t quantity = 0;
  std::int64_t revenue_cents = 0;
  std::int64_t market_cents = 0;
};
BOOST_DESCRIBE_STRUCT(category_share, (), (category, quantity, revenue_cents, market_cents))

/// Reads every sale there ever was, to say what share of each category this retailer bought. No
/// index helps with that; a cache does.
std::string load_dashboard(scalekit::db::client& db, std::int64_t retailer,
                           const scalekit::request_scope& scope) {
  auto found = db.read<std::string>(sql("select name from retailer where id = $1", retailer),
                                    for_browsing(scope));
  if (found.empty()) throw not_found("there is no such retailer");
  auto shares = db.read<category_share>(
      sql("select p.category, "
          "cast(coalesce(sum(s.quantity) filter (where s.retailer_id = $1), 0) as bigint) "
          "as quantity, "
          "cast(coalesce(sum(s.revenue_cents) filter (where s.retailer_id = $1), 0) as bigint) "
          "as revenue_cents, "
          "cast(sum(s.revenue_cents) as bigint) as market_cents "
          "from past_sale s join product p on p.id = s.product_id "
          "group by p.category having count(*) filter (where s.retailer_id = $1) > 0 order by "
          "revenue_cents desc "
          "limit 20",
          retailer),
      for_browsing(scope));
  auto [orders, total_cents] = db.read_one<std::tuple<std::int64_t, std::int64_t>>(
      sql("select count(*), cast(coalesce(sum(total_cents), 0) as bigint) from orders where "
          "retailer_id = $1",
          retailer),
      for_browsing(scope));
  return boost::json::serialize(
      boost::json::object{{"retailer", retailer},
                          {"name", found.front()},
                          {"orders", orders},
                          {"orders_total_cents", total_cents},
                          {"categories", boost::json::value_from(shares)}});
}

asio::awaitable<response> dashboard(shop& shop, request& incoming) {
  auto retailer = incoming.capture_id("retailer");
  // It may be run after this request was answered: it has what it needs.
  auto load = [db = shop.db, retailer, scope = incoming.scope]() mutable {
    return load_dashboard(db, retailer, scope);
  };
  auto body = co_await shop.pages.get_or_load(page_type::dashboard,
                                              "dashboard:" + std::to_string(retailer), load);
  co_return response{.body = std::move(body), .headers = {}};
}

}  // namespace

void add_account_pages(router& routes, shop& shop) {
  routes.add(http_verb::post, "/login", [&](request& r) { return login(shop, r); });
  routes.add(http_verb::get, "/session", [&](request& r) { return show_session(shop, r); });
  routes.add(http_verb::post, "/logout", [&](request& r) { return logout(shop, r, false); });
  routes.add(http_verb::post, "/logout-everywhere",
             [&](request& r) { return logout(shop, r, true); });
  routes.add(http_verb::get, "/retailers/:retailer/dashboard",
             [&](request& r) { return dashboard(shop, r); });
}

}  // namespace storefront
