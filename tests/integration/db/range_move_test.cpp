// Moves between SQLite files.

#include "range_move_cases.hpp"

using namespace shards_test;

TEST_CASE("a move takes all rows of its range to the target, and no others") {
  moves_all_rows_and_no_others<files>();
}

TEST_CASE("a move goes on after a crash at any step, and no acknowledged write is lost") {
  survives_a_crash_at_every_step<files>();
}

TEST_CASE("a move can be given up at any step until it has switched") {
  can_be_given_up_at_every_step<files>();
}

TEST_CASE("writers and readers of other processes lose nothing, and see each row once") {
  loses_nothing_under_load<files>();
}

TEST_CASE("keys that have moved are refused to who goes by an old map, until they move back") {
  refuses_writers_with_an_old_map_for_ever_and_moves_back<files>();
}

TEST_CASE("a mover that was taken over changes nothing any more") {
  a_mover_that_was_taken_over_changes_nothing<files>();
}

TEST_CASE("a row that differs is found before the switch") {
  finds_what_differs<files>();
}

TEST_CASE("what cannot be moved is refused") {
  refuses_what_cannot_be_moved<files>();
}

TEST_CASE("ids that a row of another key has at the target are refused, and it stays as it is") {
  refuses_ids_that_another_row_has<files>();
}

TEST_CASE("while rows lie twice a read of all goes by their key, and fills its limit") {
  a_read_of_all_needs_the_key_while_rows_lie_twice<files>();
}

TEST_CASE("buckets of a hashed map move by the column that holds them") {
  files f;
  for (auto* each : {&f.one, &f.two}) {
    each->run_script(
        "create table visit (id text primary key, bucket integer not null, who text not null,"
        " at real, data blob)");
  }
  auto shop = db::shards::open({{"one", f.one}, {"two", f.two}}, f.home,
                               db::shard_map::by_hash({"one", "two"}, 16),
                               {.refresh = 10ms, .lease = 100ms});
  const auto visit = [&](const std::string& who) {
    shop.on(who).write(sql("insert into visit values ($1, $2, $3, 0.1, x'00ff')", "v-" + who,
                           db::shard_bucket(who, 16), who));
  };
  for (int i = 0; i < 100; ++i) visit("user-" + std::to_string(i));
  const auto before =
      f.one.read_one<std::int64_t>(sql("select count(*) from visit where bucket < 3"));

  db::range_move::start(shop, {.id = "b",
                               .places = {.from = 0, .to = 3},
                               .to = "two",
                               .tables = {{"visit", "bucket", {"id"}}}})
      .run();

  CHECK(before > 0);
  CHECK(f.one.read_one<std::int64_t>(sql("select count(*) from visit where bucket < 3")) == 0);
  CHECK(f.two.read_one<std::int64_t>(
            sql("select count(*) from visit where bucket < 3 and data = x'00ff' and at = 0.1")) ==
        before);
  for (int i = 0; i < 100; ++i) {
    const auto who = "user-" + std::to_string(i);
    CHECK(shop.on(who).read<std::string>(sql("select who from visit where who = $1", who)).size() ==
          1);
  }
}

TEST_CASE("a key of a lookup map moves, whatever is written in it") {
  files f;
  for (auto* each : {&f.one, &f.two}) {
    each->run_script(
        "create table tenant_note (tenant text not null, id integer not null, words text,"
        " primary key (tenant, id))");
  }
  auto shop =
      db::shards::open({{"one", f.one}, {"two", f.two}}, f.home,
                       db::shard_map::by_lookup({}, "one"), {.refresh = 10ms, .lease = 100ms});
  const std::string odd = "o'hara \"$1\" -- ;";
  for (const auto& tenant : {odd, odd + "x", std::string("acme")}) {
    shop.on(tenant).write(sql("insert into tenant_note values ($1, 1, null)", tenant));
  }

  db::range_move::start(shop, {.id = "t",
                               .places = db::shard_map::only(odd),
                               .to = "two",
                               .tables = {{"tenant_note", "tenant", {"tenant", "id"}}}})
      .run();

  CHECK(f.two.read<std::string>(sql("select tenant from tenant_note")) ==
        std::vector<std::string>{odd});
  CHECK(f.one.read_one<std::int64_t>(sql("select count(*) from tenant_note")) == 2);
  CHECK(shop.on(odd).name() == "two");
  CHECK(shop.on("acme").name() == "one");
}

TEST_CASE("a move that is stopped goes on later") {
  files f;
  auto shop = open_shop(f.clients(), f.home);
  const auto known = fill(shop);
  std::stop_source stop;
  auto move = db::range_move::start(shop, order_to_three(),
                                    {.page_rows = 10, .about_to = [&](std::string_view what) {
                                       if (what == "copy a page") stop.request_stop();
                                     }});

  const auto e = error_of([&] { move.run(stop.get_token()); });
  CHECK(e.code() == errc::cancelled);
  CHECK(contains(e.what(), "copying"));
  move.run();

  CHECK(everything(shop) == known);
}
