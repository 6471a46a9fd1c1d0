// A service with a thread for each request: many threads on few connections.

#include "scalekit/core/deadline.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

namespace db = scalekit::db;
using scalekit::db::sql;
using namespace std::chrono_literals;

//[service_open
// One client for all request threads, opened when the process starts.
db::client open_shop(const std::string& url, scalekit::log_sink log) {
  return db::client::open(url, {.statement_timeout = 1s,
                                .acquire_timeout = 500ms,
                                .transaction_timeout = 2s,
                                .max_waiting = 300,
                                .pool = {.min = 5, .max = 20},
                                .log = std::move(log)});
}
//]

//[service_request
// On one of 200 request threads. The answer is an HTTP status.
int place_order(db::client& shop, std::int64_t product, int amount, scalekit::deadline until) {
  if (until.expired()) return 503;
  try {
    const auto stock = shop.read_optional<int>(
        sql("select stock from product where id = $1", product), {.timeout = until.remaining()});
    if (!stock) return 404;
    shop.transaction(
        [&](db::transaction& tx) {
          tx.write(sql("update product set stock = stock - $1 where id = $2", amount, product));
          tx.write(sql("insert into orders (product, amount) values ($1, $2)", product, amount));
        },
        {.timeout = until.remaining()});
    return 201;
  } catch (const scalekit::error& e) {
    if (e.code() == scalekit::errc::constraint_violation) return 409;  // more than there is
    if (scalekit::outcome_unknown(e)) return 500;                      // perhaps it was made
    if (scalekit::is_transient(e)) return 503;  // overload or outage: it was not made
    throw;
  }
}
//]

int serve(const std::string& url) {
  auto shop = open_shop(url, {});
  shop.run_script(
      "create table product (id bigint primary key, stock integer check (stock >= 0));"
      "create table orders (product bigint not null, amount integer not null);"
      "insert into product values (1, 150)");
  std::atomic<int> made{0};
  std::vector<std::jthread> requests;
  for (int i = 0; i < 200; ++i) {
    requests.emplace_back([&] {
      if (place_order(shop, 1, 1, scalekit::deadline::after(2s)) == 201) ++made;
    });
  }
  requests.clear();
  const auto orders = shop.read_one<std::int64_t>(sql("select count(*) from orders"));
  std::cout << made << " of 200 orders were made\n";
  return made > 0 && made == orders ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace

int main(int argc, char** argv) {
  return serve(argc > 1 ? argv[1] : "sqlite::memory:");
}
