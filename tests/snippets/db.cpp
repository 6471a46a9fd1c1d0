// The page's first program, whose row and tables the rest uses.
#define main first_main
#include "db_first.cpp"
#undef main

#include "scalekit/core/error.hpp"
#include "scalekit/slow/tracker.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <memory>
#include <tuple>
#include <utility>

namespace asio = boost::asio;

//[shards_row
struct purchase {
  std::int64_t customer;
  std::int64_t id;
  double price;
};
BOOST_DESCRIBE_STRUCT(purchase, (), (customer, id, price))
//]

//[codec
struct money {
  std::int64_t cents;
};

template <>
struct scalekit::codec<money> {
  using stored = std::int64_t;
  static stored to_stored(const money& m) { return m.cents; }
  static money from_stored(stored cents) { return {cents}; }
};
//]

namespace {

using namespace std::chrono_literals;

//[order
std::int64_t place_order(db::client& shop, std::int64_t product_id, int amount) {
  return shop.transaction([&](db::transaction& tx) {
    // The check constraint refuses what would make the stock negative.
    tx.write(sql("update product set stock = stock - $1 where id = $2", amount, product_id));
    return tx.write_one<std::int64_t>(sql(
        "insert into orders (product, amount) values ($1, $2) returning id", product_id, amount));
  });
}
//]

//[async
asio::awaitable<void> show(db::client shop, std::int64_t id) {
  auto rows = co_await shop.async_read<product>(
      sql("select id, name, price from product where id = $1", id), asio::use_awaitable);
  for (const auto& p : rows) std::cout << p.name << '\n';
}
//]

//[execution
/// The client's work runs on the host's own event loop.
db::client open_shop(asio::io_context& io, const std::string& url) {
  return db::client::open(url, {.statement_timeout = 1s}, scalekit::execution(io.get_executor()));
}
//]

//[async_cancel
/// Whatever happens first: the answer, or 200 ms.
asio::awaitable<std::size_t> count_quickly(db::client shop) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer patience(co_await asio::this_coro::executor, 200ms);
  auto first =
      co_await (shop.async_read<std::int64_t>(sql("select id from product"), asio::use_awaitable) ||
                patience.async_wait(asio::use_awaitable));
  // The other was cancelled. A read that was has a connection in order behind it.
  co_return first.index() == 0 ? std::get<0>(first).size() : 0;
}
//]

//[async_read_each
asio::awaitable<void> add_up(db::client shop) {
  double sum = 0;
  auto prices = co_await shop.async_read_each<double>(
      sql("select price from product where price is not null"), [&](double price) { sum += price; },
      {.timeout = 10min}, asio::use_awaitable);
  std::cout << prices << " prices, together " << sum << '\n';
}
//]

//[errors
enum class outcome { added, there_already, try_later, unknown };

outcome add_product(db::client& shop, const std::string& name) {
  try {
    shop.write(sql("insert into product (name) values ($1)", name), {.timeout = 500ms});
    return outcome::added;
  } catch (const scalekit::error& e) {
    std::cerr << e.what() << '\n';  // for the person at 3 a.m.
    if (e.code() == scalekit::errc::constraint_violation) return outcome::there_already;
    // The answer to a write was lost: look whether it is there before you repeat it.
    if (scalekit::outcome_unknown(e)) return outcome::unknown;
    // Nothing was changed, and the same call may succeed a little later.
    if (scalekit::is_transient(e)) return outcome::try_later;
    throw;  // the program is wrong, or a person has to look
  }
}
//]

//[keyset
// One for as long as the program runs, with a secret from its settings.
db::keyset products_by_name(std::string secret) {
  return db::keyset(
      {.secret = std::move(secret), .context = "products by name", .columns = {"name", "id"}});
}

/// The cursor of the next page; empty after the last one.
std::string show_page(db::client& shop, const db::keyset& listing, std::string_view after) {
  auto rows = shop.read<product>(
      listing.page(sql("select id, name, price from product where stock > $1", 0), after, 21));
  const bool has_next = rows.size() > 20;
  if (has_next) rows.pop_back();
  for (const auto& p : rows) std::cout << p.name << '\n';
  return has_next ? listing.cursor(rows.back().name, rows.back().id) : "";
}
//]

void many(db::client& shop) {
  //[read_each
  double sum = 0;
  shop.read_each<double>(sql("select price from product where price is not null"),
                         [&](double price) { sum += price; }, {.timeout = 10min},
                         {.max_rows = 100'000'000});
  //]

  //[insert_many
  std::vector<product> delivered;
  for (int i = 0; i < 1000; ++i) delivered.push_back({100 + i, "shelf " + std::to_string(i), 19.9});
  shop.insert_many("product", delivered);
  shop.insert_many("product", delivered, {.conflict = db::on_conflict::update, .key = {"id"}});

  const std::vector<std::tuple<std::int64_t, double>> prices{{100, 17.5}, {101, 18.0}};
  shop.update_many({"product", {"id", "price"}}, prices, {.key = {"id"}});
  //]
  std::cout << sum << '\n';

  const auto listing = products_by_name("a secret of at least 16 bytes");
  for (std::string after = show_page(shop, listing, ""); !after.empty();) {
    after = show_page(shop, listing, after);
  }

  //[lock
  shop.transaction([](db::transaction& tx) {
    constexpr std::int64_t nightly_report = 7001;
    if (!tx.try_lock(nightly_report)) return;  // another process is at it
    tx.write(sql("update product set stock = stock + 1 where stock = 0"));
  });
  //]

  //[batch
  db::batch page;
  auto item = page.read<product>(sql("select id, name, price from product where id = $1", 100));
  auto sold = page.read<std::int64_t>(sql("select count(*) from orders where product = $1", 100));
  auto seen = page.write(sql("insert into visit (product) values ($1)", 100));
  shop.run(page);
  std::cout << item.take_one().name << ", sold " << sold.take_one() << " times, "
            << seen.result().rows_affected() << " visit more\n";
  //]

  if (shop.dialect() == db::dialect::postgres) return;
  //[loader
  db::loader<std::int64_t, product> products(
      shop,
      [](const std::vector<std::int64_t>& ids) {
        std::string json = "[";
        for (const auto id : ids) json += (json.size() == 1 ? "" : ",") + std::to_string(id);
        return sql(
            "select id, name, price from product"
            " where id in (select value from json_each($1))",
            json + "]");
      },
      &product::id);
  auto sofa = products.load(1);
  //]
  std::cout << sofa.has_value() << '\n';
}

// What needs a server is compiled, and runs when the program is given its URL.

//[loader_postgres
db::loader<std::int64_t, product> product_loader(const db::client& shop) {
  return {shop,
          [](const std::vector<std::int64_t>& ids) {
            return sql("select id, name, price from product where id = any($1)", ids);
          },
          &product::id};
}

asio::awaitable<void> show_one(db::loader<std::int64_t, product>& products, std::int64_t id) {
  auto found = co_await products.async_load(id, asio::use_awaitable);
  if (found) std::cout << found->name << '\n';
}
//]

//[listener
struct price_board {
  db::client shop;
  db::listener changes;

  explicit price_board(const std::string& url)
      : shop(db::client::open(url)),
        changes(url, {.channels = {"price_changed"},
                      .on_notification = [this](const db::notification& n) { forget(n.payload); },
                      .on_resync = [this] { forget_all(); }}) {}

  void forget(std::string_view product_id);
  void forget_all();
};
//]

void price_board::forget(std::string_view product_id) {
  std::cout << product_id << '\n';
}
void price_board::forget_all() {}

void with_server(const std::string& url) {
  price_board board(url);
  auto products = product_loader(board.shop);
  asio::io_context io;
  for (std::int64_t id = 1; id <= 3; ++id) {
    asio::co_spawn(io, show_one(products, id), asio::detached);
  }
  io.run();
}

void story(const std::string& url) {
  auto shop = db::client::open(url);
  prepare_schema(shop);
  shop.write(sql("insert into product (name, price, stock) values ('sofa', 250.5, 4)"));
  place_order(shop, 1, 3);
  try {
    place_order(shop, 1, 3);
  } catch (const scalekit::error& e) {
    if (e.code() != scalekit::errc::constraint_violation) throw;
  }
  add_product(shop, "sofa");

  //[shapes
  auto names = shop.read<std::string>(sql("select name from product order by name"));
  auto pairs =
      shop.read<std::tuple<std::int64_t, std::string>>(sql("select id, name from product"));
  auto maybe =
      shop.read_optional<product>(sql("select id, name, price from product where id = $1", 7));
  auto price = shop.read_one<money>(sql("select 25050"));
  //]
  std::cout << names.size() << pairs.size() << maybe.has_value() << price.cents << '\n';

  //[savepoint
  shop.transaction([&](db::transaction& tx) {
    tx.write(sql("insert into product (name) values ('desk')"));
    try {
      tx.savepoint([&] { tx.write(sql("insert into product (name) values ('sofa')")); });
    } catch (const scalekit::error& e) {
      // There is one already. The desk stays.
      if (e.code() != scalekit::errc::constraint_violation) throw;
    }
  });
  //]

  asio::io_context io;
  auto rethrow = [](std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
  };
  asio::co_spawn(io, show(shop, 1), rethrow);
  asio::co_spawn(io, add_up(shop), rethrow);
  auto other_shop = open_shop(io, "sqlite::memory:");
  prepare_schema(other_shop);
  asio::co_spawn(io, count_quickly(other_shop),
                 [&](const std::exception_ptr& e, std::size_t) { rethrow(e); });
  io.run();

  //[group
  std::vector<std::future<db::write_result>> seen;
  for (int id = 1; id <= 100; ++id) {
    seen.push_back(
        shop.async_write(sql("insert into visit (product) values ($1)", id), asio::use_future));
  }
  for (auto& one : seen) one.get();
  auto counted = shop.statistics();
  std::cout << counted.writes_in_shared_commits << " writes, " << counted.shared_commits
            << " commits\n";
  //]

  //[snapshot
  auto total = shop.transaction(
      [](db::transaction& tx) {
        auto products = tx.read_one<std::int64_t>(sql("select count(*) from product"));
        auto orders = tx.read_one<std::int64_t>(sql("select count(*) from orders"));
        return products + orders;
      },
      {.read_only = true});
  //]
  std::cout << total << '\n';
  many(shop);
}

void sharded(const std::string& directory) {
  //[shards
  const auto open = [&](const std::string& name) {
    return db::client::open("sqlite://" + directory + "/" + name + ".db");
  };
  auto north = open("north"), south = open("south"), home = open("home");
  auto map = db::shard_map::by_range({{{.to = 1000}, "north"}, {{.from = 1000}, "south"}});
  auto shop = db::shards::open({{"north", north}, {"south", south}}, home, map,
                               {.refresh = 20ms, .lease = 200ms});

  for (const auto* name : {"north", "south"}) {
    shop.on_shard(name).run_script(
        "create table purchase (customer bigint not null, id bigint not null, price real not null,"
        " primary key (customer, id))");
  }
  const std::int64_t customer = 1700;
  shop.on(customer).write(sql("insert into purchase values ($1, 1, 99.5)", customer));
  auto mine = shop.on(customer).read<purchase>(
      sql("select customer, id, price from purchase where customer = $1", customer));
  //]

  //[shards_transaction
  shop.on(customer).transaction([&](db::shard_transaction& tx) {
    tx.on(customer).write(sql("delete from purchase where customer = $1 and id = 1", customer));
    tx.on(customer).write(sql("insert into purchase values ($1, 2, 89.5)", customer));
    // tx.on(5) throws not_allowed: "the transaction is on shard 'south', a statement in it is for
    // a key on shard 'north'".
  });
  //]

  //[shards_batch
  db::batch visit;
  auto bought =
      visit.read<std::int64_t>(sql("select count(*) from purchase where customer = $1", customer));
  visit.write(sql("insert into purchase values ($1, 3, 79.5)", customer));
  shop.on(customer).run(visit);
  std::cout << "bought " << bought.take_one() << " times before\n";
  //]

  //[shards_read_all
  auto dearest = shop.read_all<purchase>(
      sql("select customer, id, price from purchase order by price desc limit $1"),
      {.order_by = db::descending(&purchase::price), .limit = 10, .key = &purchase::customer});

  auto whoever_answers = shop.read_all<std::int64_t>(
      sql("select count(*) from purchase"),
      {.on_failure = db::partial_failure::partial, .call = {.timeout = 500ms}});
  for (const auto& [shard, why] : whoever_answers.failed) {
    std::cerr << shard << ": " << why.what() << '\n';
  }
  //]

  //[range_move
  auto move = db::range_move::start(
      shop, {.id = "relieve-south",
             .places = {.from = 1500, .to = 2000},
             .to = "north",
             .tables = {{.name = "purchase", .column = "customer", .ids = {"customer", "id"}}}});
  move.run();
  // After a crash, in any process: db::range_move::resume(shop).run();
  //]
  std::cout << mine.size() << dearest.rows.size() << shop.on(customer).name() << '\n';
}

void settings(const std::string& path) {
  //[settings
  auto shop = db::client::open(
      "sqlite://" + path + "?readers=8&synchronous=normal",
      {.statement_timeout = 250ms, .tracker = std::make_shared<scalekit::slow::tracker>()});
  //]
  shop.close();
}

bool own_writes() {
  auto shop = db::client::open("sqlite::memory:");
  prepare_schema(shop);
  //[own_writes
  // What this client has written it reads: nothing to do. Across requests and processes a token
  // says what is to be seen.
  const auto made = shop.write(sql("insert into visit (product) values ($1)", 1));
  const std::string cookie = made.token();

  auto seen = shop.read<std::int64_t>(sql("select product from visit"),
                                      {.consistency = db::consistency::after(cookie)});

  // A session collects the tokens of one user's writes, those of transactions too.
  db::session visitor(cookie);
  shop.transaction([](db::transaction& tx) { tx.write(sql("delete from visit")); },
                   {.session = visitor});
  seen = shop.read<std::int64_t>(sql("select product from visit"), {.session = visitor});
  const std::string next_cookie = visitor.token();
  //]
  return seen.empty();
}

bool test_of_a_host() {
  //[memory
  auto shop = db::client::open("sqlite::memory:");
  prepare_schema(shop);
  //]
  return add_product(shop, "sofa") == outcome::added;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) {
    story(argv[1]);
    with_server(argv[1]);
    return EXIT_SUCCESS;
  }
  auto directory = std::filesystem::temp_directory_path() / "scalekit-snippet-XXXXXX";
  auto pattern = directory.string();
  if (mkdtemp(pattern.data()) == nullptr) return EXIT_FAILURE;
  story("sqlite://" + pattern + "/shop.db");
  settings(pattern + "/shop.db");
  sharded(pattern);
  std::filesystem::remove_all(pattern);
  return test_of_a_host() && own_writes() ? EXIT_SUCCESS : EXIT_FAILURE;
}
