// The code of docs/adapters.md.

#include "scalekit/adapters.hpp"
#include "scalekit/db.hpp"
#include "support/postgres/server.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/describe.hpp>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

namespace adapters = scalekit::adapters;
namespace asio = boost::asio;
namespace cache = scalekit::cache;
namespace db = scalekit::db;
using scalekit::db::sql;
using namespace std::chrono_literals;

namespace {

//[row
struct product {
  std::int64_t id;
  std::string name;
  std::int64_t amount;
};
BOOST_DESCRIBE_STRUCT(product, (), (id, name, amount))
//]

//[read
const adapters::cached by_category{cache::ttl::product, {"product", "stock"}};

std::vector<product> category_page(adapters::result_cache& shop, const std::string& category) {
  return shop.read<product>(by_category, sql("select p.id, p.name, s.amount from product p"
                                             " join stock s on s.product = p.id"
                                             " where p.category = $1 order by p.name",
                                             category));
}
//]

//[write
void sell(adapters::result_cache& shop, std::int64_t id, int sold) {
  shop.write(sql("update stock set amount = amount - $1 where product = $2", sold, id), {"stock"});
}
//]

//[transaction
std::int64_t add_product(adapters::result_cache& shop, const std::string& name) {
  return shop.transaction(
      [&](db::transaction& tx) {
        const auto id = tx.write_one<std::int64_t>(
            sql("insert into product (name, category) values ($1, 'sofa') returning id", name));
        tx.write(sql("insert into stock values ($1, 0)", id));
        return id;
      },
      {"product", "stock"});
}
//]

//[wrote
void import_prices(db::client& client, adapters::result_cache& shop) {
  auto tx = client.begin();
  tx.write(sql("update product set name = upper(name)"));
  shop.wrote({"product"}, tx.commit());
}
//]

//[session
std::vector<product> my_page(adapters::result_cache& shop, const std::string& cookie) {
  return shop.read<product>(by_category,
                            sql("select p.id, p.name, s.amount from product p"
                                " join stock s on s.product = p.id"),
                            {.session = db::session(cookie)});
}
//]

//[coroutine
asio::awaitable<std::size_t> count_sofas(adapters::result_cache& shop) {
  auto found = co_await shop.async_read<std::int64_t>(
      by_category, sql("select id from product where category = 'sofa'"), asio::use_awaitable);
  co_return found.size();
}
//]

}  // namespace

int main() {
  const support::postgres::server server;
  const auto url = server.socket_url();
  server.exec(
      "create table product (id bigint generated always as identity primary key, name text,"
      " category text);"
      "create table stock (product bigint primary key, amount bigint not null);"
      "insert into product (name, category) values ('Klippan', 'sofa');"
      "insert into stock values (1, 10)");

  //[open
  auto client = db::client::open(url);
  adapters::install_change_triggers(client, {"product", "stock"});
  auto store = cache::store::open({.memory = {.max_bytes = 64 << 20}});
  adapters::result_cache shop(client, store, {.listen_url = url});
  //]

  bool good = category_page(shop, "sofa").at(0).amount == 10;
  sell(shop, 1, 3);
  good &= category_page(shop, "sofa").at(0).amount == 7;
  add_product(shop, "Ektorp");
  good &= category_page(shop, "sofa").size() == 2;
  import_prices(client, shop);
  good &= category_page(shop, "sofa").at(0).name == "EKTORP";
  good &= my_page(shop, "").size() == 2;
  good &= support::wait_until([&] {
    category_page(shop, "sofa");
    return shop.statistics().hits > 0;
  });
  asio::io_context io;
  asio::co_spawn(io, count_sofas(shop),
                 [&](std::exception_ptr e, std::size_t count) { good &= !e && count == 2; });
  io.run();

  //[statistics
  const auto counted = shop.statistics();
  std::cout << counted.hits << " found, " << counted.misses << " read, " << counted.bypassed_deaf
            << " past it for want of proof\n";
  //]

  //[sqlite
  auto file = db::client::open("sqlite::memory:");
  adapters::result_cache notes(file, store, {.is_only_writer = true});
  //]
  file.run_script("create table note (text text)");
  const adapters::cached all_notes{cache::ttl::query, {"note"}};
  notes.write(sql("insert into note values ('buy milk')"), {"note"});
  good &= notes.read<std::string>(all_notes, sql("select text from note")).size() == 1;
  return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
