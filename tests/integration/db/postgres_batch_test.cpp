// Batches on PostgreSQL: round trips, preparing, and what became of one that was not answered.

#include "postgres_fixture.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <tuple>
#include <vector>

using namespace postgres_test;
using namespace std::chrono_literals;
using support::contains;
using support::error_of;

namespace {

/// A client that reaches the shared server through a proxy.
struct proxied {
  database own;
  support::tcp_proxy proxy{shared_server().port()};
  db::client client;

  proxied()
      : client(db::client::open(
            "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/" + own.name,
            {.pool = {.min = 0, .max = 1}})) {
    client.run_script("create table t (id bigint primary key)");
  }

  std::string rows() { return shared_server().query_one("select count(*) from t", own.name); }
};

db::batch three_inserts() {
  db::batch batch;
  for (int i = 1; i <= 3; ++i) batch.write(sql("insert into t values ($1)", i));
  return batch;
}

}  // namespace

TEST_CASE("a batch takes the time of one round trip") {
  proxied p;
  db::batch batch;
  for (int i = 0; i < 5; ++i) {
    batch.write(sql("insert into t values ($1)", i));
    batch.write(sql("delete from t where id = $1", i + 100));
  }
  p.client.run(batch);
  p.client.write(sql("delete from t"));
  constexpr auto one_way = 1500ms;
  p.proxy.set_to_client({.delay = one_way});

  const auto begun = std::chrono::steady_clock::now();
  p.client.run(batch);
  const auto took = std::chrono::steady_clock::now() - begun;

  CHECK(took >= one_way);
  CHECK(took < 2 * one_way);
}

TEST_CASE("a batch that was sent and not answered is in doubt, and in the end made") {
  proxied p;
  p.client.run(three_inserts());
  p.client.write(sql("delete from t"));
  p.proxy.set_to_client({.swallow = true});

  auto end = std::async(std::launch::async, [&] { return p.client.run(three_inserts()); });
  CHECK(support::wait_until([&] { return p.rows() == "3"; }));
  p.proxy.cut_all_and_heal();

  auto e = error_of([&] { end.get(); });
  CHECK(e.code() == errc::commit_in_doubt);
  CHECK(scalekit::outcome_unknown(e));
}

TEST_CASE("a batch that never arrived as a whole has changed nothing") {
  proxied p;
  p.client.run(three_inserts());
  p.client.write(sql("delete from t"));
  p.proxy.set_to_server({.cut_after = 60});

  auto e = error_of([&] { p.client.run(three_inserts()); });

  CHECK(e.code() == errc::commit_in_doubt);
  CHECK(p.rows() == "0");
}

TEST_CASE("a batch fails as a whole when its commit does") {
  database d;
  auto client = d.open();
  client.run_script(
      "create table node (id int primary key, parent int references node deferrable initially "
      "deferred)");
  db::batch batch;
  batch.write(sql("insert into node values (1, 99)"));
  batch.write(sql("insert into node values (2, null)"));
  db::batch with_rows;
  with_rows.write<std::int32_t>(sql("insert into node values (1, 99) returning id"));

  CHECK_ERRC(client.run(batch), errc::constraint_violation);
  auto e = error_of([&] { client.run(with_rows); });

  CHECK(e.code() == errc::constraint_violation);
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from node")) == 0);
}

TEST_CASE("a batch has more statements than stay prepared") {
  database d;
  auto client = d.open({.statement_cache = 3, .pool = {.min = 0, .max = 1}});
  client.read<int>(sql("select 7"));
  for (int round = 0; round < 3; ++round) {
    db::batch batch;
    std::vector<db::batch_rows<int>> rows;
    for (int i = 0; i < 20; ++i) {
      rows.push_back(batch.read<int>(unsafe_sql("select $1::int + " + std::to_string(i), round)));
    }
    // The same text again.
    rows.push_back(batch.read<int>(unsafe_sql(std::string("select $1::int + 0"), round + 20)));

    client.run(batch);

    for (int i = 0; i < 21; ++i) CHECK(rows[static_cast<std::size_t>(i)].take_one() == round + i);
    CHECK(client.read_one<int>(sql("select 7")) == 7);
  }
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from pg_prepared_statements")) <= 3);
}

TEST_CASE("a batch is larger than what fits into all buffers on the way") {
  database d;
  auto client = d.open();
  const std::string text(200'000, 'x');
  db::batch batch;
  std::vector<db::batch_rows<std::string>> rows;
  for (int i = 0; i < 100; ++i)
    rows.push_back(batch.read<std::string>(sql("select $1::text", text)));

  client.run(batch, {.timeout = 60s});
  for (auto& r : rows) CHECK(r.take_one() == text);
  client.async_run(batch, {.timeout = 60s}, boost::asio::use_future).get();
  for (auto& r : rows) CHECK(r.take_one() == text);
}

TEST_CASE("a batch survives a change of the schema") {
  database d;
  auto client = d.open({.pool = {.min = 0, .max = 1}});
  client.run_script(
      "create table t (a int); create table u (a int);"
      "insert into t values (1); insert into u values (2)");
  db::batch batch;
  auto of_t = batch.read<std::tuple<std::string>>(sql("select * from t"));
  auto of_u = batch.read<std::tuple<std::string>>(sql("select * from u"));
  db::batch before;
  before.read<int>(sql("select * from t"));
  before.read<int>(sql("select * from u"));
  client.run(before);

  shared_server().exec("alter table t alter a type text; alter table u alter a type text", d.name);
  client.run(batch);

  CHECK(std::get<0>(of_t.take_one()) == "1");
  CHECK(std::get<0>(of_u.take_one()) == "2");
}

TEST_CASE("a read of a batch is refused a write that its text does not show") {
  database d;
  auto client = d.open();
  client.run_script(
      "create table t (id int);"
      "create function f() returns int language sql as 'insert into t values (1) returning id'");
  db::batch reads;
  reads.read<int>(sql("select 1"));
  reads.read<int>(sql("select f()"));

  auto e = error_of([&] { client.run(reads); });

  CHECK(e.code() == errc::not_allowed);
  CHECK(contains(e.what(), "statement 2 of 2 of the batch: postgres_batch_test.cpp:"));
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from t")) == 0);
}

TEST_CASE("a batch that fails outside a savepoint aborts its transaction, with rows only itself") {
  database d;
  auto client = d.open();
  client.run_script("create table t (id int primary key)");
  db::batch plain, with_rows;
  plain.write(sql("insert into t values (1)"));
  plain.write(sql("insert into t values (1)"));
  with_rows.write<int>(sql("insert into t values (2) returning id"));
  with_rows.read<int>(sql("select null::int"));

  client.transaction([&](db::transaction& tx) {
    tx.write(sql("insert into t values (3)"));
    CHECK_ERRC(tx.run(with_rows), errc::column_mismatch);
    CHECK(tx.is_open());
  });
  auto tx = client.begin();
  CHECK_ERRC(tx.run(plain), errc::constraint_violation);
  CHECK_FALSE(tx.is_open());

  CHECK(client.read<int>(sql("select id from t")) == std::vector<int>{3});
}

TEST_CASE("what cannot run in a transaction fails its batch, of which nothing is kept") {
  database d;
  auto client = d.open();
  client.run_script("create table t (id int primary key)");
  db::batch batch;
  batch.write(sql("insert into t values (1)"));
  batch.write(sql("vacuum t"));

  auto e = error_of([&] { client.run(batch); });

  CHECK(contains(e.what(), "statement 2 of 2 of the batch"));
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from t")) == 0);
}
