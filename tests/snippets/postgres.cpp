#include "scalekit/core/error.hpp"
#include "scalekit/core/runtime.hpp"
#include "scalekit/db.hpp"
#include "support/postgres/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe.hpp>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;
namespace db = scalekit::db;
using scalekit::db::sql;
using namespace std::chrono_literals;

namespace {

struct product {
  std::int64_t id;
  std::string name;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name))

//[coroutines
asio::awaitable<void> serve(db::client shop, std::int64_t id) {
  auto found = co_await shop.async_read<product>(
      sql("select id, name from product where id = $1", id), asio::use_awaitable);
  auto sold = co_await shop.async_write(
      sql("update product set stock = stock - 1 where id = $1", id), asio::use_awaitable);
  std::cout << found.size() << " found, " << sold.rows_affected() << " sold\n";
}
//]

void run_coroutines(const std::string& url) {
  //[open
  asio::io_context io;
  auto shop = db::client::open(url, {.pool = db::pool_params::small()},
                               scalekit::execution(io.get_executor()));
  asio::co_spawn(io, serve(shop, 1), [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  });
  io.run();
  //]
}

void transactions(db::client& shop) {
  //[transaction
  auto left = shop.transaction(
      [](db::transaction& tx) {
        tx.write(sql("update product set stock = stock - 1 where id = $1", 1));
        return tx.read_one<int>(sql("select stock from product where id = $1", 1));
      },
      {.timeout = 2s, .isolation = db::isolation_level::serializable});
  //]
  std::cout << left << " left\n";
}

void arrays(db::client& shop) {
  //[arrays
  auto some = shop.read<product>(
      sql("select id, name from product where id = any($1)", std::vector<std::int64_t>{1, 2, 3}));
  //]
  std::cout << some.size() << " of them\n";
}

void errors(db::client& shop) {
  //[errors
  try {
    shop.write(sql("insert into product (id, name, stock) values (9, 'lamp', 1)"), {.timeout = 1s});
  } catch (const scalekit::error& e) {
    // The connection was lost before the answer: it may have been made. Look before you repeat it.
    if (scalekit::outcome_unknown(e)) std::cerr << e.what() << '\n';
    throw;
  }
  //]
}

}  // namespace

int main() {
  const support::postgres::server server;
  const auto url = server.socket_url();
  auto shop = db::client::open(url);
  shop.run_script(
      "create table product (id bigint primary key, name text not null, stock int not null);"
      "insert into product values (1, 'sofa', 10), (2, 'chair', 10)");
  run_coroutines(url);
  transactions(shop);
  arrays(shop);
  errors(shop);
  return EXIT_SUCCESS;
}
