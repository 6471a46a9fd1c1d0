// What comes before any page: who is let in, and what a load balancer is told.

#include "front_door.hpp"

#include "support/storefront/process.hpp"

#include <scalekit/core/runtime.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <string>

namespace {

using namespace storefront;

options small_shop(const std::filesystem::path& dir) {
  options chosen;
  chosen.dir = dir;
  chosen.catalogue = parse_catalogue_choice("generated:20");
  chosen.sync_full = false;
  return chosen;
}

/// A shop in this process, with one event loop and no socket.
struct counter {
  explicit counter(int most_under_way = 2000) : door(it, most_under_way) {}

  std::future<response> begin(http_verb verb, std::string path, std::string body = {}) {
    http_message message(verb, path, 11);
    message.body() = std::move(body);
    return boost::asio::co_spawn(loop, door.answer(std::move(message), "127.0.0.1"),
                                 boost::asio::use_future);
  }
  int get(std::string path) { return begin(http_verb::get, std::move(path)).get().status; }

  storefront_test::temporary_directory dir;
  scalekit::runtime loops{{.threads = 1, .work = {.threads = 4}}};
  boost::asio::io_context& loop = loops.next_loop();
  shop it{small_shop(dir.path()), loops};
  front_door door;
};

TEST_CASE("with as many requests under way as there may be, customers are sent away, probes not") {
  counter shop(1);
  std::future<response> order;
  std::future<response> customer;
  std::future<response> lives;
  std::future<response> serves;
  std::promise<void> all_begun;
  // Whoever writes now keeps the order waiting.
  auto writer = shop.it.db.begin();

  // On the loop itself, so that nothing can end between one and the next.
  boost::asio::post(shop.loop, [&] {
    order = shop.begin(http_verb::post, "/orders",
                       R"({"retailer":1,"lines":[{"product":1,"quantity":1}]})");
    customer = shop.begin(http_verb::get, "/products/1");
    lives = shop.begin(http_verb::get, "/healthz");
    serves = shop.begin(http_verb::get, "/readyz");
    all_begun.set_value();
  });
  all_begun.get_future().wait();

  const auto refused = customer.get();
  CHECK(refused.status == 503);
  CHECK(refused.body.find("/problems/busy") != std::string::npos);
  CHECK(!refused.headers.empty());
  CHECK(lives.get().status == 200);
  CHECK(serves.get().status == 200);

  writer.rollback();
  order.wait();
  CHECK(shop.get("/products/1") == 200);
}

TEST_CASE("a shop without its database lives, but is not ready") {
  counter shop;
  REQUIRE(shop.get("/readyz") == 200);

  shop.it.worker->stop(std::chrono::seconds(5));
  shop.it.db.close();

  CHECK(shop.get("/readyz") == 503);
  CHECK(shop.get("/healthz") == 200);
}

TEST_CASE("a shop whose database opens but cannot be read from is not ready") {
  counter shop;

  shop.it.db.run_script("drop table catalogue_import");

  CHECK(shop.get("/readyz") >= 500);
  CHECK(shop.get("/healthz") == 200);
}

}  // namespace
