// What the jobs of the shop leave behind, looked into and not only counted.

#include "running_shop.hpp"

#include <scalekit/db/client.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>

namespace {

using namespace storefront_test;
using scalekit::db::sql;
namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

scalekit::db::client open(const fs::path& file) {
  return scalekit::db::client::open("sqlite://" + file.string() + "?mode=ro");
}

/// The books of the shop, read beside it.
scalekit::db::client books() {
  return open(shop_directory() / "shop.db");
}

/// Places an order for `quantity` of `product` and returns its id when all its jobs are done.
std::string served_order(http_client& customer, std::int64_t product, std::int64_t quantity,
                         std::string* email_job = nullptr) {
  auto placed = customer.post("/orders", order_body(9, product, quantity));
  REQUIRE(placed.status == 201);
  auto order = get_until(customer, placed.header("Location"), [](const reply& r) {
    auto status = r.json();
    return status["paid"] == true && status["picked"] == true && status["confirmed"] == true;
  });
  REQUIRE(order.json()["confirmed"] == true);
  if (email_job) *email_job = placed.json()["jobs"].at("email").as_string();
  return std::to_string(placed.json()["order_id"].as_int64());
}

/// Starts a job of that kind and returns its id when `done(id)`.
template <class Condition>
std::string finished_job(const std::string& kind, Condition done) {
  http_client operator_here(running_shop().port());
  auto answer = operator_here.post("/admin/jobs", R"({"kind":")" + kind + R"("})");
  REQUIRE(answer.status == 202);
  std::string job(answer.json()["job_id"].as_string());
  get_until(operator_here, "/healthz", [&](const reply&) { return done(job); });
  REQUIRE(done(job));
  return job;
}

TEST_CASE("the confirmation is for the retailer, and names the order and what was paid for it") {
  http_client customer(running_shop().port(), "10.6.0.1");
  const auto price = customer.get("/products/40").json()["price_cents"].as_int64();
  std::string job;

  const auto order = served_order(customer, 40, 3, &job);

  auto db = books();
  const auto id = std::stoll(order);
  CHECK(db.read_one<std::int64_t>(
            sql("select amount_cents from payment where order_id = $1", id)) == 3 * price);
  const auto address = db.read_one<std::string>(sql("select email from retailer where id = $1", 9));
  CHECK(content_of(shop_directory() / "outbox" / (job + ".eml")) ==
        "To: " + address + "\r\nMessage-ID: <job-" + job +
            "@storefront.example>\r\nSubject: Your order " + order +
            "\r\n\r\nThank you. The total is " + std::to_string(3 * price) + " cents.\r\n");
}

TEST_CASE("a report has a line for each category with what was sold of it") {
  http_client customer(running_shop().port(), "10.6.0.2");
  served_order(customer, 41, 2);
  auto db = books();

  const auto job = finished_job("report", [&](const std::string& id) {
    return db.read_one<std::int64_t>(sql("select count(*) from report where job_id = $1", id)) == 1;
  });

  std::string expected = "category,orders,quantity,revenue_cents\r\n";
  using row = std::tuple<std::string, std::int64_t, std::int64_t, std::int64_t>;
  for (const auto& [category, orders, quantity, revenue] : db.read<row>(
           sql("select category, count(distinct order_id), sum(quantity), "
               "sum(quantity * order_line.price_cents) from order_line "
               "join product on product.id = product_id group by category order by category"))) {
    expected += "\"" + category + "\"," + std::to_string(orders) + "," + std::to_string(quantity) +
                "," + std::to_string(revenue) + "\r\n";
  }
  const auto csv = content_of(shop_directory() / "reports" / (job + ".csv"));
  CHECK(csv == expected);
  CHECK(db.read_one<std::int64_t>(sql("select bytes from report where job_id = $1", job)) ==
        static_cast<std::int64_t>(csv.size()));
}

TEST_CASE("a backup is a whole database, with the orders that there were") {
  http_client customer(running_shop().port(), "10.6.0.3");
  served_order(customer, 42, 1);
  auto db = books();

  const auto job = finished_job("backup", [&](const std::string& id) {
    return db.read_one<std::int64_t>(sql("select count(*) from backup where job_id = $1", id)) == 1;
  });

  auto copy = open(shop_directory() / "backups" / (job + ".db"));
  CHECK(copy.read_one<std::string>(sql("pragma integrity_check")) == "ok");
  CHECK(copy.read_one<std::int64_t>(sql("select count(*) from product")) == 300);
  const auto orders = sql("select count(*), sum(total_cents) from orders");
  using count_and_sum = std::tuple<std::int64_t, std::int64_t>;
  CHECK(copy.read_one<count_and_sum>(orders) == db.read_one<count_and_sum>(orders));
}

TEST_CASE(
    "cleaning up empties the caches and removes what killed attempts have left, if it is old") {
  http_client customer(running_shop().port(), "10.6.0.4");
  http_client operator_here(running_shop().port());
  const auto outbox = shop_directory() / "outbox";
  const auto abandoned = outbox / "1.eml.1.tmp";
  const auto being_written = outbox / "2.eml.1.tmp";
  const auto sent = outbox / "3.eml";
  for (const auto& file : {abandoned, being_written, sent}) std::ofstream(file) << "x";
  const auto two_hours_ago = fs::file_time_type::clock::now() - std::chrono::hours(2);
  for (const auto& file : {abandoned, sent}) fs::last_write_time(file, two_hours_ago);
  REQUIRE(customer.get("/products/43").status == 200);
  REQUIRE(customer.get("/retailers/151/dashboard").status == 200);
  auto cached = [&] { return operator_here.get("/stats").json()["cache"].as_object(); };
  auto number = [](const boost::json::object& cache, const char* store, const char* what) {
    return cache.at(store).at(what).to_number<int>();
  };
  auto in_memory = [&](const boost::json::object& cache) {
    return number(cache, "memory_store", "memory_entries") +
           number(cache, "file_store", "memory_entries");
  };
  const auto before = cached();
  REQUIRE(in_memory(before) >= 2);

  finished_job("cache_cleanup", [&](const std::string&) {
    return !fs::exists(abandoned) && in_memory(cached()) == 0;
  });

  // The files of a store go later, but nothing is read from them any more.
  CHECK(customer.get("/retailers/151/dashboard").status == 200);
  const auto after = cached();
  CHECK(number(after, "file_store", "loads") == number(before, "file_store", "loads") + 1);
  CHECK(number(after, "file_store", "file_hits") == number(before, "file_store", "file_hits"));
  CHECK(fs::exists(being_written));
  CHECK(fs::exists(sent));
  fs::remove(being_written);
  fs::remove(sent);
}

}  // namespace
