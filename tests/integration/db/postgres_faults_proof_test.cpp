// Which reads may share a connection: the driver's prover against a real server.

#include "db/postgres/dial.hpp"
#include "db/postgres/prover.hpp"
#include "postgres_faults_loop.hpp"
#include "support/postgres/lane_cases.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <tuple>

using namespace faults;
namespace pg = scalekit::db::postgres;

namespace {

/// A connection as the pool would have it, in the schema of the cases.
std::unique_ptr<pg::connection> connect(const database& d) {
  const auto settings =
      pg::settings_from_url(d.url() + "&options=-c%20search_path%3Dapp,public", {});
  auto got = pg::dial(settings.servers.front(), std::chrono::steady_clock::now() + 60s, {});
  REQUIRE_MESSAGE(got.connection, got.failure);
  return std::make_unique<pg::connection>(std::move(got.connection), "server", 256);
}

}  // namespace

TEST_CASE("every statement of which it is known is proven, or refused, by the real catalogue") {
  database d{std::string(db::support::lane_schema)};
  const auto c = connect(d);
  std::uint64_t id = 1;

  for (const auto& each : db::support::lane_cases) {
    CAPTURE(each.situation);
    const auto entry = std::make_shared<pg::statement_entry>(id++, std::string(each.sql),
                                                             scalekit::slow::statement_ref{});
    const auto verdict = pg::prove(*c, entry, std::chrono::steady_clock::now() + 60s);
    REQUIRE(verdict);
    CHECK(verdict->proven == each.proven);
    CHECK(contains(verdict->reason, std::string(each.reason)));
    CHECK(c->wire->is_quiet());
    CHECK(c->wire->transaction_status() == PQTRANS_IDLE);
  }
}

TEST_CASE("a proof that is interrupted has no verdict, and its connection is not used again") {
  database d("create table t (id int)");
  auto locker = d.open(patient());
  auto holder = locker.begin();
  holder.run_script("lock table t in access exclusive mode");
  const auto c = connect(d);
  const auto entry =
      std::make_shared<pg::statement_entry>(1, "select id from t", scalekit::slow::statement_ref{});

  const auto verdict = pg::prove(*c, entry, std::chrono::steady_clock::now() + 50ms);

  CHECK_FALSE(verdict);
  CHECK((c->wire->is_broken() || !c->wire->is_quiet()));
}

TEST_CASE("a view that comes to call a volatile function shares no more once that is noticed") {
  database d(
      "create table t (id int, n int); insert into t values (1, 5);"
      "create view v as select id, n from t;"
      "create function loud(int) returns int language plpgsql volatile as "
      "'begin return $1 + 100; end'");
  auto client = d.open(patient());
  const auto by_view = sql("select n from v where id = $1", 1);
  const auto by_table = sql("select n from t where id = $1", 1);
  REQUIRE(warm_up<std::int64_t>(client, by_view));
  REQUIRE(warm_up<std::int64_t>(client, by_table));

  d.exec("create or replace view v as select id, loud(n) as n from t");
  d.exec(
      "drop view v; alter table t alter n type bigint;"
      "create view v as select id, loud(n::int) as n from t");
  CHECK(client.async_read<std::int64_t>(by_table, asio::use_future).get().at(0) == 5);
  CHECK(client.async_read<std::int64_t>(by_view, asio::use_future).get().at(0) == 105);

  // Both are asked about again: the one shares once more, the other does not.
  CHECK(warm_up<std::int64_t>(client, by_table));
  const auto before = client.statistics().shared_reads;
  for (int i = 0; i < 50; ++i) client.async_read<std::int64_t>(by_view, asio::use_future).get();
  CHECK(client.statistics().shared_reads == before);
}

TEST_CASE("a function that comes to write harms nobody but who calls it, and shares no more") {
  database d(
      "create table t (id int, n int); insert into t values (1, 5); create table written (n int);"
      "create function five(int) returns int language sql stable as 'select n from t where id = "
      "$1'");
  auto client = d.open(patient({.lanes = 1}));
  const auto by_function = sql("select five($1)", 1);
  const auto by_table = sql("select n from t where id = $1", 1);
  REQUIRE(warm_up<std::int32_t>(client, by_function));
  REQUIRE(warm_up<std::int32_t>(client, by_table));

  d.exec(
      "create or replace function five(int) returns int language sql volatile as "
      "'insert into written values ($1); select 6'");
  const auto e =
      error_of([&] { client.async_read<std::int32_t>(by_function, asio::use_future).get(); });
  const auto after = client.async_read<std::int32_t>(by_table, asio::use_future).get();

  CHECK(e.diag().backend_code == "25006");
  CHECK(after.at(0) == 5);
  CHECK(d.query_one("select count(*) from written") == "0");
  const auto lanes = client.statistics().lanes;
  REQUIRE(lanes.refusals.size() == 1);
  CHECK(lanes.refusals[0].statement == "select five(?)");
  CHECK(lanes.refusals[0].reason == "it tried to write");
}
