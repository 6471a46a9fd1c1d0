// Shards on SQLite files: routing, transactions of one shard, reads of all, and the stored map.

#include "shards_fixture.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <thread>

using namespace shards_test;
using namespace std::chrono_literals;

namespace {

struct shop_files : files {
  db::shards shop{clients(), by_hundreds()};

  std::vector<double> prices_of(const std::vector<purchase>& rows) {
    std::vector<double> prices;
    for (const auto& row : rows) prices.push_back(row.price);
    return prices;
  }
};

constexpr auto dearest =
    "select customer, id, what, price from purchase order by price desc, id limit $1";

}  // namespace

TEST_CASE("a call goes to the shard of its key") {
  shop_files s;

  buy(s.shop, 5, 1);
  buy(s.shop, 100, 1);
  buy(s.shop, 150, 2);

  CHECK(count(s.one) == 1);
  CHECK(count(s.two) == 2);
  CHECK(count(s.three) == 0);
  CHECK(s.shop.on(150).name() == "two");
  CHECK(s.shop.on(150).read_one<std::int64_t>(sql("select count(*) from purchase")) == 2);
  CHECK(s.shop.on_shard("one").read_one<std::int64_t>(sql("select 1")) == 1);
  CHECK_ERRC(s.shop.on_shard("four"), errc::not_found);
}

TEST_CASE("shards without a client, and two clients of one name, are refused by name") {
  files f;

  const auto e = error_of([&] { db::shards({{"one", f.one}, {"two", f.two}}, by_hundreds()); });
  CHECK(e.code() == errc::invalid_argument);
  CHECK(contains(e.what(), "'three'"));
  CHECK_ERRC(db::shards({{"one", f.one}, {"one", f.two}}, db::shard_map::by_hash({"one"})),
             errc::invalid_argument);
}

TEST_CASE("a transaction commits what is on its shard, and refuses a key of another, naming both") {
  shop_files s;

  s.shop.on(10).transaction([](db::shard_transaction& tx) {
    tx.on(10).write(sql("insert into purchase values (10, 1, 'desk', 2.5)"));
    tx.on(99).write(sql("insert into purchase values (99, 1, 'lamp', 2.5)"));
  });
  const auto e = error_of([&] {
    s.shop.on(10).transaction([](db::shard_transaction& tx) {
      tx.on(10).write(sql("insert into purchase values (10, 2, 'desk', 2.5)"));
      tx.on(100).write(sql("insert into purchase values (100, 2, 'lamp', 2.5)"));
    });
  });

  CHECK(e.code() == errc::not_allowed);
  CHECK(contains(e.what(), "'one'"));
  CHECK(contains(e.what(), "'two'"));
  CHECK(count(s.one) == 2);
  CHECK(count(s.two) == 0);
}

TEST_CASE("a batch runs on the shard of its key, all of it or nothing") {
  shop_files s;
  buy(s.shop, 10, 1);
  db::batch batch, clash;
  auto before = batch.read<std::int64_t>(sql("select count(*) from purchase"));
  auto added = batch.write(sql("insert into purchase values (10, 2, 'desk', 2.5)"));
  auto after = batch.read<std::int64_t>(sql("select count(*) from purchase"));
  clash.write(sql("insert into purchase values (10, 3, 'lamp', 2.5)"));
  clash.write(sql("insert into purchase values (10, 1, 'lamp', 2.5)"));

  const auto done = s.shop.on(10).run(batch);
  const auto e = error_of([&] { s.shop.on(10).run(clash); });

  CHECK(before.take_one() == 1);
  CHECK(added.result().token() == done.token());
  CHECK(after.take_one() == 2);
  CHECK(e.code() == errc::constraint_violation);
  CHECK(contains(e.what(), "statement 2 of 2 of the batch"));
  CHECK(count(s.one) == 2);
  CHECK(count(s.two) == 0);
  CHECK_ERRC(s.shop.on(10).run(db::batch()), errc::invalid_argument);
}

TEST_CASE("a read of all shards is merged in its order, up to its limit") {
  shop_files s;
  for (int i = 0; i < 30; ++i) buy(s.shop, i * 10, i, i);

  const auto best = s.shop.read_all<purchase>(
      db::unsafe_sql({dearest}),
      {.order_by = db::descending(&purchase::price), .limit = 4, .fan_out = 1});
  const auto all = s.shop.read_all<purchase>(sql("select customer, id, what, price from purchase"));

  CHECK(s.prices_of(best.rows) == std::vector<double>{29, 28, 27, 26});
  CHECK(all.rows.size() == 30);
  CHECK(all.failed.empty());
}

TEST_CASE("each shard is asked for no more rows than the limit of all, however many it has") {
  files f;
  asks_each_shard_for_the_limit_only(f);
}

TEST_CASE("asynchronous calls go the same ways") {
  shop_files s;
  s.shop.on(7)
      .async_write(sql("insert into purchase values (7, 1, 'desk', 2.5)"), boost::asio::use_future)
      .get();
  s.shop.on(120)
      .async_transaction(
          [](db::shard_transaction& tx) {
            tx.on(120).write(sql("insert into purchase values (120, 1, 'desk', 3.5)"));
          },
          boost::asio::use_future)
      .get();

  auto all = s.shop.async_read_all<purchase>(
      db::unsafe_sql({dearest}), {.order_by = db::descending(&purchase::price), .limit = 10},
      boost::asio::use_future);

  CHECK(s.prices_of(all.get().rows) == std::vector<double>{3.5, 2.5});
  CHECK(s.shop.on(7)
            .async_read<std::int64_t>(sql("select id from purchase"), boost::asio::use_future)
            .get() == std::vector<std::int64_t>{1});
  db::batch batch;
  batch.write(sql("insert into purchase values (130, 1, 'lamp', 1.5)"));
  auto rows = batch.read<std::int64_t>(sql("select count(*) from purchase"));
  s.shop.on(130).async_run(batch, boost::asio::use_future).get();
  CHECK(rows.take_one() == 2);
}

TEST_CASE("rows that do not come in the order that was declared are an error, not a wrong result") {
  shop_files s;
  buy(s.shop, 1, 1, 1);
  buy(s.shop, 1, 2, 2);

  const auto e = error_of([&] {
    s.shop.read_all<purchase>(db::unsafe_sql({dearest}),
                              {.order_by = db::ascending(&purchase::price), .limit = 10});
  });

  CHECK(e.code() == errc::invalid_statement);
  CHECK(contains(e.what(), "'one'"));
}

TEST_CASE(
    "when shards fail, a read of all fails and names them, or says so beside the others' rows") {
  shop_files s;
  buy(s.shop, 1, 1);
  buy(s.shop, 250, 1);
  s.two.run_script("drop table purchase");

  const auto e = error_of([&] { s.shop.read_all<purchase>(sql("select * from purchase")); });
  const auto some = s.shop.read_all<purchase>(sql("select * from purchase"),
                                              {.on_failure = db::partial_failure::partial});

  CHECK(e.code() == errc::invalid_statement);
  CHECK(contains(e.what(), "failed on 'two'"));
  CHECK(some.rows.size() == 2);
  REQUIRE(some.failed.size() == 1);
  CHECK(some.failed[0].shard == "two");
  CHECK(some.failed[0].why.code() == errc::invalid_statement);
  s.one.run_script("drop table purchase");
  s.three.run_script("drop table purchase");
  CHECK_ERRC(s.shop.read_all<purchase>(sql("select * from purchase"),
                                       {.on_failure = db::partial_failure::partial}),
             errc::invalid_statement);
}

TEST_CASE("when a shard fails the others are cancelled, and a stopped read ends as cancelled") {
  shop_files s;
  s.two.run_script("drop table purchase");
  const auto endless =
      sql("with recursive n(i) as (select 1 union all select i + 1 from n)"
          " select count(*) from n, (select count(*) from purchase)");

  const auto e =
      error_of([&] { s.shop.read_all<std::int64_t>(endless, {.call = {.timeout = 60s}}); });

  CHECK(e.code() == errc::invalid_statement);
  std::stop_source stop;
  stop.request_stop();
  CHECK_ERRC(s.shop.read_all<purchase>(sql("select * from purchase"),
                                       {.call = {.stop = stop.get_token()}}),
             errc::cancelled);
}

TEST_CASE("an asynchronous read of all shards fails, is stopped and ends in its time as well") {
  using boost::asio::use_future;
  shop_files s;
  buy(s.shop, 1, 1);
  buy(s.shop, 250, 1);
  const auto endless =
      sql("with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n");

  std::stop_source stop;
  auto stopped = s.shop.async_read_all<std::int64_t>(
      endless, {.call = {.timeout = 60s, .stop = stop.get_token()}}, use_future);
  stop.request_stop();
  CHECK_ERRC(stopped.get(), errc::cancelled);
  const auto late = error_of([&] {
    s.shop.async_read_all<std::int64_t>(endless, {.call = {.timeout = 50ms}}, use_future).get();
  });
  CHECK(scalekit::is_timeout(late));

  s.two.run_script("drop table purchase");
  const auto all = sql("select * from purchase");
  const auto e = error_of([&] { s.shop.async_read_all<purchase>(all, {}, use_future).get(); });
  CHECK(e.code() == errc::invalid_statement);
  CHECK(contains(e.what(), "failed on 'two'"));
  const auto some =
      s.shop.async_read_all<purchase>(all, {.on_failure = db::partial_failure::partial}, use_future)
          .get();
  CHECK(some.rows.size() == 2);
  REQUIRE(some.failed.size() == 1);
  CHECK(some.failed[0].shard == "two");
}

TEST_CASE("all shards of a read share its time") {
  shop_files s;
  const auto endless =
      sql("with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n");

  const auto e = error_of(
      [&] { s.shop.read_all<std::int64_t>(endless, {.fan_out = 1, .call = {.timeout = 50ms}}); });

  CHECK(scalekit::is_timeout(e));
}

TEST_CASE("a map of the process' own is replaced by a newer one only") {
  shop_files s;
  const auto next = by_hundreds().with_owner({.from = 150, .to = 200}, "three");

  s.shop.replace_map(next);

  CHECK(s.shop.on(150).name() == "three");
  CHECK_ERRC(s.shop.replace_map(by_hundreds()), errc::conflict);
  CHECK_ERRC(
      s.shop.replace_map(by_hundreds().with_owner({.from = 0, .to = 1}, "four").with_version(9)),
      errc::invalid_argument);
}

TEST_CASE(
    "a stored map is the same in every process, and who changes it must have seen the newest") {
  files f;
  auto here = db::shards::open(f.clients(), f.home, by_hundreds());
  auto there = db::shards::open(f.clients(), f.home, db::shard_map::by_hash({"one"}));

  CHECK(there.on(150).name() == "two");
  here.replace_map(here.map()->with_owner({.from = 150, .to = 160}, "one"));
  CHECK_ERRC(there.replace_map(there.map()->with_owner({.from = 170, .to = 180}, "one")),
             errc::conflict);
  there.refresh();
  CHECK(there.on(150).name() == "one");
  CHECK(there.map()->version() == 2);
}

TEST_CASE("a map that is due is looked up beside the calls") {
  files f;
  auto here = db::shards::open(f.clients(), f.home, by_hundreds(), {.refresh = 1ms});
  auto there = db::shards::open(f.clients(), f.home, by_hundreds(), {.refresh = 1ms});

  here.replace_map(here.map()->with_owner({.from = 150, .to = 160}, "one"));

  CHECK(support::wait_until([&] { return there.on(150).name() == "one"; }));
}

TEST_CASE("while the map cannot be looked up, calls end with its lease, and go on when it can") {
  files f;
  auto shop = db::shards::open(f.clients(), f.home, by_hundreds(), {.refresh = 1ms, .lease = 3ms});
  f.home.run_script("alter table scalekit_shard_map rename to elsewhere");

  std::optional<scalekit::error> e;
  CHECK(support::wait_until([&] {
    try {
      shop.on(1).read<std::int64_t>(sql("select 1"));
      return false;
    } catch (const scalekit::error& caught) {
      e = caught;
      return true;
    }
  }));
  f.home.run_script("alter table elsewhere rename to scalekit_shard_map");

  CHECK(e->code() == errc::unavailable);
  CHECK(contains(e->what(), "lease of the map, 3 ms"));
  CHECK(shop.on(1).read_one<std::int64_t>(sql("select 1")) == 1);
}

TEST_CASE("settings of the stored map must fit, and its lease is the same for all") {
  files f;
  const auto open = [&](db::shards_params params) {
    return db::shards::open(f.clients(), f.home, by_hundreds(), std::move(params));
  };

  open({});
  CHECK_THROWS_AS(open({.lease = 31s}), std::invalid_argument);
  CHECK_THROWS_AS(open({.refresh = 11s}), std::invalid_argument);
  CHECK_THROWS_AS(open({.name = ""}), std::invalid_argument);
  open({.name = "other", .lease = 31s});
}
