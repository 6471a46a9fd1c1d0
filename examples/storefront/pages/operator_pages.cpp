#include "http/json_fields.hpp"
#include "http/problem.hpp"
#include "jobs/jobs.hpp"
#include "pages/asked_by.hpp"
#include "pages/pages.hpp"
#include "pages/statistics.hpp"

#include <scalekit/core/async.hpp>

#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace storefront {
namespace {

namespace asio = boost::asio;
using scalekit::db::sql;

/// Only who sits at this machine, and not whom a proxy on it lets through.
void require_operator(const request& incoming) {
  if (incoming.has_header("X-Forwarded-For") || !incoming.peer().starts_with("127.")) {
    throw problem(403, "operators-only", "this page is for operators on the machine itself");
  }
}

// POST /admin/jobs {kind}

asio::awaitable<response> start_job(shop& shop, request& incoming) {
  require_operator(incoming);
  auto kind = text_field(parse_object(incoming.body()), "kind", 32);
  if (!is_housekeeping(kind)) {
    throw bad_request("field \"kind\" must be report, backup or cache_cleanup");
  }
  auto start = [&shop, kind](std::stop_token) {
    return shop.jobs ? std::to_string(shop.jobs->enqueue(kind, ""))
                     : do_housekeeping_now(shop, kind);
  };
  auto job = co_await scalekit::async_blocking<std::string>(shop.work, start, asio::use_awaitable);
  co_return json_response(202, boost::json::object{{"job_id", job}});
}

// GET /healthz: the process answers. Restart it when it does not.

asio::awaitable<response> healthy() {
  co_return json_response(200, boost::json::object{{"status", "ok"}});
}

// GET /readyz: it can serve customers. Send it none when it cannot.

asio::awaitable<response> ready(shop& shop, request& incoming) {
  auto options = asked_by(incoming);
  options.timeout = std::chrono::milliseconds(500);
  // From a table: for "select 1" no database would have to look at its data.
  co_await shop.db.async_read<std::int64_t>(sql("select products from catalogue_import"), options,
                                            asio::use_awaitable);
  co_return json_response(200, boost::json::object{{"status", "ready"}});
}

// GET /stats

asio::awaitable<response> stats(shop& shop, request& incoming) {
  require_operator(incoming);
  auto collect = [&shop](std::stop_token) { return collect_statistics(shop); };
  auto numbers = co_await scalekit::async_blocking<boost::json::object>(shop.work, collect,
                                                                        asio::use_awaitable);
  co_return json_response(200, numbers);
}

}  // namespace

void add_operator_pages(router& routes, shop& shop) {
  routes.add(http_verb::post, "/admin/jobs", [&](request& r) { return start_job(shop, r); });
  routes.add(http_verb::get, "/healthz", [](request&) { return healthy(); });
  routes.add(http_verb::get, "/readyz", [&](request& r) { return ready(shop, r); });
  routes.add(http_verb::get, "/stats", [&](request& r) { return stats(shop, r); });
}

}  // namespace storefront
