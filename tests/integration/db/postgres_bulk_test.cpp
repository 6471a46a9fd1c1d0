// Many rows at once, in the types of PostgreSQL.

#include "postgres_fixture.hpp"
#include "support/tcp_proxy.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;

namespace {

using event = std::tuple<int, std::string, scalekit::wall_time>;

std::vector<event> events(int count) {
  std::vector<event> out;
  for (int i = 0; i < count; ++i) {
    out.emplace_back(i, "event " + std::to_string(i),
                     scalekit::from_micros(1'600'000'000'000'001LL + 1'000'003LL * i));
  }
  return out;
}

struct log_table : database {
  db::client client = open();
  db::bulk_target into{"event", {"id", "text", "at"}};

  log_table() {
    client.run_script("create table event (id int primary key, text text, at timestamptz)");
  }

  std::int64_t count() { return client.read_one<std::int64_t>(sql("select count(*) from event")); }
};

}  // namespace

TEST_CASE("copied rows are read back as they were") {
  log_table t;

  CHECK(t.client.insert_many(t.into, events(10'000)) == 10'000);

  CHECK(t.client.read<event>(sql("select id, text, at from event order by id")) == events(10'000));
}

TEST_CASE(
    "all kinds of columns are copied, or go by statements where only the server can read them") {
  const database d;
  auto client = d.open();
  client.run_script(
      "create type mood as enum ('good', 'bad');"
      "create domain short as smallint check (value < 1000);"
      "create table a (s short, r real, f double precision, b bytea, o boolean, n numeric, v "
      "varchar(5));"
      "create table b (u uuid, m mood, l int[])");
  using copied = std::tuple<std::int64_t, float, std::optional<double>, scalekit::bytes, bool,
                            std::int64_t, std::string>;
  using stated = std::tuple<std::string, std::string, std::vector<int>>;
  const std::vector<copied> first(
      200,
      {999, 0.5F, std::nullopt, scalekit::bytes{std::byte{0}, std::byte{255}}, true, -7, "abc"});
  const std::vector<stated> second(200, {"6ba7b810-9dad-11d1-80b4-00c04fd430c8", "good", {1, 2}});

  CHECK(client.insert_many({"a", {"s", "r", "f", "b", "o", "n", "v"}}, first) == 200);
  CHECK(client.insert_many({"public.b", {"u", "m", "l"}}, second) == 200);

  CHECK(client.read<copied>(sql("select s, r, f, b, o, n::bigint, v from a")) == first);
  CHECK(client.read<stated>(sql("select u::text, m::text, l from b")) == second);
  auto wrong = first;
  std::get<0>(wrong[150]) = 1000;
  CHECK_ERRC(client.insert_many({"a", {"s", "r", "f", "b", "o", "n", "v"}}, wrong),
             errc::constraint_violation);
}

TEST_CASE("a value that does not fit is named with its row, and nothing was inserted") {
  log_table t;
  std::vector<std::tuple<std::int64_t>> rows;
  for (std::int64_t i = 0; i < 200; ++i) rows.emplace_back(i);
  std::get<0>(rows[123]) = std::int64_t{1} << 40;

  const auto e = support::error_of([&] { t.client.insert_many({"event", {"id"}}, rows); });

  CHECK(e.code() == errc::value_out_of_range);
  CHECK(support::contains(e.what(), "row 124"));
  CHECK(t.count() == 0);
}

TEST_CASE("a copy that fails half way costs no more than its savepoint") {
  log_table t;
  std::vector<event> few = events(200);
  std::get<1>(few[150]).push_back('\0');

  t.client.transaction([&](db::transaction& tx) {
    CHECK_ERRC(tx.savepoint([&] { tx.insert_many(t.into, few); }), errc::value_out_of_range);
    tx.insert_many(t.into, events(300));
  });

  CHECK(t.count() == 300);
}

TEST_CASE("a copy ends at its deadline, its stop and with its connection") {
  log_table t;
  auto blocker = t.client.begin();
  blocker.run_script("lock table event in access exclusive mode");

  CHECK_ERRC(t.client.insert_many(t.into, events(1000), {.timeout = 100ms}),
             errc::execution_timeout);
  blocker.rollback();
  std::stop_source stop;
  stop.request_stop();
  CHECK_ERRC(t.client.insert_many(t.into, events(1000), {.stop = stop.get_token()}),
             errc::cancelled);

  support::tcp_proxy proxy(shared_server().port());
  auto far = db::client::open("postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) +
                              "/" + t.name);
  auto tx = far.begin();
  proxy.set_to_server({.cut_after = 200'000});
  CHECK_ERRC(tx.insert_many(t.into, events(50'000)), errc::connection_lost);
  CHECK_FALSE(tx.is_open());

  CHECK(t.count() == 0);
  CHECK(t.client.insert_many(t.into, events(1000)) == 1000);
}
