// Shards on PostgreSQL: two servers, and a third database for the map.

#include "range_move_cases.hpp"
#include "support/postgres/server.hpp"

#include <atomic>
#include <future>

using namespace shards_test;

namespace {

support::postgres::server& first_server() {
  static support::postgres::server running({.more = {{"deadlock_timeout", "20ms"}}});
  return running;
}
support::postgres::server& second_server() {
  // Writes and reads values in other ways, unless the mover sees to it that both do the same.
  static support::postgres::server running({.more = {{"datestyle", "German"},
                                                     {"timezone", "Asia/Kolkata"},
                                                     {"intervalstyle", "iso_8601"},
                                                     {"bytea_output", "escape"},
                                                     {"extra_float_digits", "0"}}});
  return running;
}

/// "one" and "three" on the first server, "two" on the second: moves go from one to the other.
struct servers {
  std::string suffix = next_suffix();
  db::client one = open(first_server(), "one"), two = open(second_server(), "two"),
             three = open(first_server(), "three"), home = open(second_server(), "home");

  servers() {
    for (auto* each : {&one, &two, &three}) each->run_script(schema);
  }

  static std::string next_suffix() {
    static std::atomic<int> next{0};
    return "_" + std::to_string(next++);
  }
  db::client open(support::postgres::server& on, const std::string& name) const {
    on.create_database(name + suffix);
    return db::client::open(on.socket_url(name + suffix));
  }
  db::client tracked(const std::string& name, std::shared_ptr<scalekit::slow::tracker> by) const {
    auto& on = name == "two" ? second_server() : first_server();
    return db::client::open(on.socket_url(name + suffix), {.tracker = std::move(by)});
  }
  db::shards::named_clients clients() const {
    return {{"one", one}, {"two", two}, {"three", three}};
  }
};

}  // namespace

TEST_CASE("a move takes all rows of its range to another server, and no others") {
  moves_all_rows_and_no_others<servers>();
}

TEST_CASE("a move between servers goes on after a crash at any step") {
  survives_a_crash_at_every_step<servers>();
}

TEST_CASE("writers and readers lose nothing while rows move between servers") {
  loses_nothing_under_load<servers>();
}

TEST_CASE("keys that have moved to another server are refused, until they move back") {
  refuses_writers_with_an_old_map_for_ever_and_moves_back<servers>();
}

TEST_CASE("a mover that was taken over changes nothing on either server") {
  a_mover_that_was_taken_over_changes_nothing<servers>();
}

TEST_CASE("a row that differs between servers is found before the switch") {
  finds_what_differs<servers>();
}

TEST_CASE("what cannot be moved between servers is refused") {
  refuses_what_cannot_be_moved<servers>();
}

TEST_CASE("ids that a row of another key has on the target server are refused") {
  refuses_ids_that_another_row_has<servers>();
}

TEST_CASE("while rows lie on two servers a read of all goes by their key") {
  a_read_of_all_needs_the_key_while_rows_lie_twice<servers>();
}

TEST_CASE("each server is asked for no more rows than the limit of all, however many it has") {
  servers s;
  asks_each_shard_for_the_limit_only(s);
}

TEST_CASE("a shard whose server has died is named, and the others' rows come without it") {
  support::postgres::server alive, dying;
  auto one = db::client::open(alive.socket_url(), {.acquire_timeout = std::chrono::seconds(60)});
  auto two = db::client::open(dying.socket_url(), {.acquire_timeout = std::chrono::seconds(1)});
  for (auto* each : {&one, &two}) each->run_script(schema);
  const db::shards shop({{"one", one}, {"two", two}},
                        db::shard_map::by_range({{{.to = 100}, "one"}, {{.from = 100}, "two"}}));
  buy(shop, 1, 1);
  buy(shop, 150, 1);
  const auto all = sql("select * from purchase");
  REQUIRE(shop.read_all<purchase>(all).rows.size() == 2);

  dying.kill9();
  const auto e = error_of([&] { shop.read_all<purchase>(all); });
  const auto some = shop.read_all<purchase>(all, {.on_failure = db::partial_failure::partial});

  CHECK(scalekit::is_transient(e));
  CHECK(contains(e.what(), "'two'"));
  REQUIRE(some.rows.size() == 1);
  CHECK(some.rows[0].customer == 1);
  REQUIRE(some.failed.size() == 1);
  CHECK(some.failed[0].shard == "two");
  CHECK(shop.on(1).read_one<std::int64_t>(sql("select count(*) from purchase")) == 1);

  dying.start();
  CHECK(support::wait_until([&] {
    return shop.read_all<purchase>(all, {.on_failure = db::partial_failure::partial})
        .failed.empty();
  }));
}

TEST_CASE("values of every type come through a move as they were") {
  servers s;
  constexpr auto odd_table =
      "create type colour as enum ('red', 'dark \"blue\"');"
      "create table odd (id uuid primary key, customer text collate \"C\" not null,"
      " number bigint generated always as identity, n numeric, r double precision, f real,"
      " at timestamptz, d date, t time, i interval, b bytea, j jsonb, c colour, a text[],"
      " scalekit text, doubled numeric generated always as (n * 2) stored)";
  for (auto* each : {&s.two, &s.three}) each->run_script(odd_table);
  s.two.run_script(
      "insert into odd (id, customer, n, r, f, at, d, t, i, b, j, c, a, scalekit) values"
      " (gen_random_uuid(), 'm1', 123456789012345678901234567890.5, 0.1, 1e-20, 'infinity',"
      "  '0044-03-15 BC', '23:59:59.999999', '1 mon -3 days 00:00:01.5', '\\x00ff5c27',"
      "  '{\"a\": [1, null]}', 'dark \"blue\"', array['x,y', null, '\"', '{}', '\\'], '(,)'),"
      " (gen_random_uuid(), 'm2', 'NaN', 'NaN', '-Infinity', '2024-02-03 04:05:06.789+11',"
      "  '2024-02-03', '00:00', '-1 year', '', 'null', null, '{}', ''),"
      " (gen_random_uuid(), 'm3', null, null, null, null, null, null, null, null, null, null,"
      "  null, null),"
      " (gen_random_uuid(), 'z', null, null, null, null, null, null, null, null, null, null,"
      "  null, null)");
  const auto digest = [](db::client& of) {
    return of.transaction([](db::transaction& tx) {
      tx.run_script(
          "set local datestyle = 'ISO, YMD'; set local timezone = 'UTC';"
          "set local intervalstyle = 'postgres'; set local bytea_output = 'hex';"
          "set local extra_float_digits = 3");
      return tx.read<std::string>(
          sql("select odd::text from odd where customer < 'n' order by customer"));
    });
  };
  const auto before = digest(s.two);
  auto shop =
      db::shards::open({{"two", s.two}, {"three", s.three}}, s.home,
                       db::shard_map::by_range({{{}, "two"}}), {.refresh = 10ms, .lease = 100ms});

  db::range_move::start(
      shop,
      {.id = "odd", .places = {.to = "n"}, .to = "three", .tables = {{"odd", "customer", {"id"}}}},
      {.page_rows = 2})
      .run();

  CHECK(before.size() == 3);
  CHECK(digest(s.three) == before);
  CHECK(digest(s.two).empty());
  CHECK(s.two.read_one<std::string>(sql("select customer from odd")) == "z");
}

TEST_CASE(
    "the fence waits for a transaction that has written, and gives way when that takes long") {
  servers s;
  auto shop = open_shop(s.clients(), s.home);
  auto known = fill(shop);
  std::optional<db::transaction> slow;
  int fences = 0;
  auto move =
      db::range_move::start(shop, order_to_three(),
                            {.fence_timeout = 50ms, .about_to = [&](std::string_view what) {
                               if (what != "fence the source") return;
                               ++fences;
                               if (fences == 1) {
                                 slow.emplace(s.two.begin());
                                 slow->write(sql("insert into purchase values (170, 70, 'x', 7)"));
                               }
                               // The first attempt had to give way to it.
                               if (fences == 2) slow->commit();
                             }});

  move.run();

  known[{170, 70}] = 7;
  CHECK(fences == 2);
  CHECK(everything(shop) == known);
}

TEST_CASE("a transaction with an old snapshot cannot write behind the fence") {
  servers s;
  auto shop = open_shop(s.clients(), s.home);
  const auto known = fill(shop);
  auto old = s.two.begin({.isolation = db::isolation_level::repeatable_read});
  CHECK(old.read_one<std::int64_t>(sql("select count(*) from purchase")) == 100);
  bool is_refused = false;
  auto move = db::range_move::start(
      shop, order_to_three(), {.about_to = [&](std::string_view what) {
        if (what != "switch the map") return;
        const auto e =
            error_of([&] { old.write(sql("insert into purchase values (170, 71, 'x', 7)")); });
        is_refused = db::is_moving(e);
        old.rollback();
      }});

  move.run();

  CHECK(is_refused);
  CHECK(everything(shop) == known);
}

TEST_CASE("a transaction that outlives a whole move is run again where its keys are now") {
  servers s;
  auto shop = open_shop(s.clients(), s.home);
  auto known = fill(shop);
  auto mine = open_shop(s.clients(), s.home);
  int runs = 0;

  mine.on(170).transaction([&](db::shard_transaction& tx) {
    // By now there is nothing left to delete, and so no trigger that could refuse it.
    if (++runs == 1) db::range_move::start(shop, order_to_three()).run();
    tx.on(170).write(sql("delete from purchase where customer = 170 and id = 4"));
  });

  known.erase({170, 4});
  CHECK(runs == 2);
  CHECK(everything(shop) == known);
}

TEST_CASE("a batch that outlives a whole move is run again where its keys are now") {
  servers s;
  auto shop = open_shop(s.clients(), s.home);
  auto known = fill(shop);
  auto mine = open_shop(s.clients(), s.home);
  db::batch batch;
  batch.read<bool>(sql("select pg_advisory_xact_lock_shared(7) is null"));
  // Where nothing is left to delete, no trigger can refuse it.
  auto gone = batch.write(sql("delete from purchase where customer = 170 and id = 4"));
  auto left = batch.read<std::int64_t>(sql("select count(*) from purchase where customer = 170"));
  auto door = s.two.begin();
  door.lock(7);

  auto end = std::async(std::launch::async, [&] { mine.on(170).run(batch, {.timeout = 60s}); });
  REQUIRE(second_server().wait_for(
      "select count(*) from pg_locks where locktype = 'advisory' and not granted", "1"));
  db::range_move::start(shop, order_to_three()).run();
  door.commit();
  end.get();

  known.erase({170, 4});
  CHECK(gone.result().rows_affected() == 1);
  CHECK(left.take_one() == 9);
  CHECK(everything(shop) == known);
}

TEST_CASE("rows that were handed over are not handed over again when their keys have moved") {
  servers s;
  auto shop = open_shop(s.clients(), s.home);
  fill(shop);
  auto mine = open_shop(s.clients(), s.home);
  int seen = 0;

  const auto e = error_of([&] {
    mine.on(170).read_each<std::int64_t>(sql("select id from purchase where customer = 170"),
                                         [&](std::int64_t) {
                                           if (++seen == 1)
                                             db::range_move::start(shop, order_to_three()).run();
                                         });
  });

  CHECK(db::is_moving(e));
  CHECK(seen == 10);
}

TEST_CASE("a table that is moving cannot be truncated") {
  servers s;
  auto shop = open_shop(s.clients(), s.home);
  const auto known = fill(shop);
  auto move = db::range_move::start(
      shop, order_to_three(), {.about_to = [&](std::string_view what) {
        if (what != "copy a page" && what != "switch the map") return;
        CHECK(db::is_moving(error_of([&] { s.two.write(sql("truncate purchase")); })));
      }});

  move.run();

  CHECK(everything(shop) == known);
}

TEST_CASE("rows that are copied in or written by another role are recorded too") {
  servers s;
  auto shop = open_shop(s.clients(), s.home);
  auto known = fill(shop);
  s.two.run_script("create role shop_writer" + s.suffix +
                   "; grant insert on purchase to shop_writer" + s.suffix);
  bool is_done = false;
  auto move =
      db::range_move::start(shop, order_to_three(), {.about_to = [&](std::string_view what) {
                              if (what != "copy a page" || std::exchange(is_done, true)) return;
                              std::vector<purchase> rows;
                              for (int i = 0; i < 200; ++i) rows.push_back({171, i, "copied", 2});
                              s.two.insert_many("purchase", rows);
                              s.two.transaction([&](db::transaction& tx) {
                                tx.run_script("set local role shop_writer" + s.suffix);
                                tx.write(sql("insert into purchase values (172, 1, 'role', 3)"));
                              });
                            }});

  move.run();

  for (int i = 0; i < 200; ++i) known[{171, i}] = 2;
  known[{172, 1}] = 3;
  CHECK(everything(shop) == known);
}

TEST_CASE("reads of all shards are merged over servers, down to the collation of texts") {
  servers s;
  db::shards shop(s.clients(), by_hundreds());
  buy(shop, 1, 1, 1, "a");
  buy(shop, 101, 1, 1, "B");
  buy(shop, 201, 1, 1, "b");

  const auto found = shop.read_all<purchase>(
      sql("select customer, id, what, price from purchase order by what collate \"C\" limit $1"),
      {.order_by = db::ascending(&purchase::what), .limit = 2});

  REQUIRE(found.rows.size() == 2);
  CHECK(found.rows[0].what == "B");
  CHECK(found.rows[1].what == "a");
}
