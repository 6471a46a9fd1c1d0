#include "scalekit/core/error.hpp"
#include "scalekit/core/runtime.hpp"
#include "scalekit/core/settings_file.hpp"
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
#include <utility>
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

void hosts_of_settings() {
  //[hosts
  auto file = scalekit::settings_file::parse(R"({
    "db": { "region": "eu",
            "hosts": ["10.0.0.1", "10.0.0.2:region=eu", "10.0.0.3:5433:region=us,role=reports"] }
  })",
                                             "shop.json");
  db::client_params params;
  scalekit::settings_origins origins;
  file.apply("db", db::client_settings(), params, origins);
  auto shop = db::client::open("postgresql://app@/shop", params);
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

//[session
/// What a visitor's cookie says; what is no token is as good as none.
db::session visitor_of(std::string_view cookie) {
  try {
    return db::session(cookie);
  } catch (const scalekit::error&) {
    return {};
  }
}

std::vector<product> catalogue(db::client& shop, db::session& visitor) {
  const auto all = sql("select id, name from product order by name");
  try {
    return shop.read<product>(all, {.session = visitor});
  } catch (const scalekit::error& e) {
    // The cookie is of another database, or a failover has lost the write that it stands for.
    const bool is_void =
        e.code() == scalekit::errc::invalid_argument || e.code() == scalekit::errc::write_lost;
    if (!is_void) throw;
    visitor = db::session();
    return shop.read<product>(all, {.session = visitor});
  }
}
//]

void visit(db::client& shop, std::string_view cookie) {
  auto visitor = visitor_of(cookie);
  shop.write(sql("update product set stock = stock + 1 where id = 1"), {.session = visitor});
  std::cout << catalogue(shop, visitor).size() << " goods, cookie " << visitor.token() << '\n';
}

void pooler() {
  //[pooler
  auto shop =
      db::client::open("postgresql://app@127.0.0.1:6432/shop?transaction_pooler=true&pool.max=50");
  //]
}

void labels() {
  //[labels
  auto shop = db::client::open(
      "postgresql://app@10.0.0.1,10.0.0.2,10.0.0.3/shop",
      {.topology = {.region = "eu",
                    .replica_labels = "10.0.0.2:region=eu;10.0.0.3:region=us,role=reports"}});
  //]
}

void reports(db::client& shop) {
  //[reports
  auto sold = shop.read_one<std::int64_t>(
      sql("select count(*) from product where stock < 10"),
      {.timeout = 5min, .consistency = db::consistency::any(), .labels = {{"role", "reports"}}});
  //]
  //[deferrable
  auto audited = shop.transaction(
      [](db::transaction& tx) {
        const auto goods = tx.read_one<std::int64_t>(sql("select count(*) from product"));
        const auto pieces = tx.read_one<std::int64_t>(sql("select sum(stock)::int8 from product"));
        return std::pair(goods, pieces);
      },
      {.timeout = 5min,
       .read_only = true,
       .isolation = db::isolation_level::serializable,
       .deferrable = true});
  //]
  //[lanes
  const auto lanes = shop.statistics().lanes;
  std::cout << lanes.proven << " statements share connections\n";
  for (const auto& [statement, reason] : lanes.refusals) {
    std::cout << statement << " does not: " << reason << '\n';
  }
  //]
  std::cout << sold << audited.first << '\n';
}

void copy(db::client& shop, const std::filesystem::path& path) {
  //[copy
  std::ofstream file(path);
  shop.copy_out(sql("copy (select id, name from product) to stdout (format csv)"),
                [&](std::string_view row) { file << row; }, {.timeout = 10min});
  //]
}

std::string token_for(std::string_view server) {
  return "what the cloud says for " + std::string(server);
}

void rotating() {
  //[credentials
  auto shop = db::client::open("postgresql://app@10.0.0.1/shop",
                               {.credentials = [](std::string_view server) {
                                 return db::credentials{.password = token_for(server)};
                               }});
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
  hosts_of_settings();
  rotating();
  auto elsewhere = db::client::open(url);
  consistent(shop, elsewhere);
  visit(shop, "");
  pooler();
  labels();
  reports(shop);
  copy(shop, "/dev/null");
  errors(shop);
  return EXIT_SUCCESS;
}
