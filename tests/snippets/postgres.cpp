#include "scalekit/core/error.hpp"
#include "scalekit/core/runtime.hpp"
#include "scalekit/db.hpp"
#include "support/postgres/server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe.hpp>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
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

void replicas() {
  //[replicas
  auto shop = db::client::open("postgresql://app@10.0.0.1,10.0.0.2,10.0.0.3/shop");
  //]
}

void consistent(db::client& shop, db::client& elsewhere) {
  //[consistency
  const auto token = shop.write(sql("update product set stock = 7 where id = 2")).token();
  auto there = elsewhere.read_one<int>(sql("select stock from product where id = 2"),
                                       {.consistency = db::consistency::after(token)});
  auto roughly = elsewhere.read_one<std::int64_t>(sql("select count(*) from product"),
                                                  {.consistency = db::consistency::any()});
  //]
  std::cout << there << " of one of " << roughly << '\n';
}

void copy(db::client& shop, const std::filesystem::path& path) {
  //[copy
  std::ofstream file(path);
  shop.copy_out(sql("copy (select id, name from product) to stdout (format csv)"),
                [&](std::string_view row) { file << row; }, {.timeout = 10min});
  //]
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
  replicas();
  auto elsewhere = db::client::open(url);
  consistent(shop, elsewhere);
  copy(shop, "/dev/null");
  errors(shop);
  return EXIT_SUCCESS;
}
