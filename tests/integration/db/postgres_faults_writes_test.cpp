// What a write is told became of it.

#include "postgres_faults_fixture.hpp"

#include <stop_token>
#include <thread>

using namespace faults;

namespace {

constexpr const char* deferred =
    "create table node (id int primary key, parent int references node deferrable initially "
    "deferred);"
    "insert into node values (1, null)";

}  // namespace

TEST_CASE("a write whose own commit fails is not reported as done") {
  database d(deferred);
  auto client = d.open(patient());

  auto blocking = error_of([&] { client.write(sql("insert into node values (2, 99)")); });
  auto async = error_of([&] {
    client.async_write(sql("insert into node values (3, 99)"), boost::asio::use_future).get();
  });

  CHECK(blocking.code() == errc::constraint_violation);
  CHECK(blocking.diag().backend_code == "23503");
  CHECK(async.code() == errc::constraint_violation);
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from node")) == 1);
  CHECK(client.write(sql("insert into node values (4, 1)")).rows_affected() == 1);
  CHECK(client.statistics().writer.closed.broken == 0);
}

TEST_CASE("a write with rows whose commit fails is not reported as done") {
  database d(deferred);
  auto client = d.open(patient());

  auto e = error_of(
      [&] { client.write<std::int32_t>(sql("insert into node values (2, 99) returning id")); });

  CHECK(e.code() == errc::constraint_violation);
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from node")) == 1);
}

TEST_CASE("a connection whose read was stopped can be written on") {
  database d("create table t (id int)");
  auto client = d.open(patient({.pool = {.min = 0, .max = 1}}));
  // The time below is for the statement, not for the login.
  client.write(sql("select 1"));

  CHECK_ERRC(client.read<std::string>(sql("select pg_sleep(60)::text"), {.timeout = 100ms}),
             errc::execution_timeout);
  CHECK(client.write(sql("insert into t values (1)")).rows_affected() == 1);
  CHECK_ERRC(client
                 .async_read<std::string>(sql("select pg_sleep(60)::text"), {.timeout = 100ms},
                                          boost::asio::use_future)
                 .get(),
             errc::execution_timeout);

  CHECK(client.write(sql("insert into t values (2)")).rows_affected() == 1);
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from t")) == 2);
}

TEST_CASE("a read is still refused its writes after a connection was brought back into order") {
  database d(
      "create table t (id int);"
      "create function f() returns int language sql as 'insert into t values (1) returning id'");
  auto client = d.open(patient({.pool = {.min = 0, .max = 1}}));
  client.write(sql("select 1"));

  CHECK_ERRC(client.write(sql("select pg_sleep(60)"), {.timeout = 100ms}), errc::execution_timeout);

  CHECK(error_of([&] { client.read<std::int32_t>(sql("select f()")); }).diag().backend_code ==
        "25006");
}

TEST_CASE("a read that tries to write says how to call it, and changes nothing") {
  database d(
      "create table t (id int);"
      "create function f() returns int language sql as 'insert into t values (1) returning id'");
  auto client = d.open(patient());
  auto tx = client.begin({.read_only = true});

  const auto alone = error_of([&] { client.read<std::int32_t>(sql("select f()")); });
  const auto async = error_of(
      [&] { client.async_read<std::int32_t>(sql("select f()"), boost::asio::use_future).get(); });
  const auto inside = error_of([&] { tx.read<std::int32_t>(sql("select f()")); });

  for (const auto& e : {alone, async, inside}) {
    CHECK(e.code() == errc::not_allowed);
    CHECK(e.diag().backend_code == "25006");
    CHECK(contains(e.what(), "tried to write"));
    CHECK(contains(e.what(), "write() or execute()"));
  }
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from t")) == 0);
  CHECK(client.write<std::int32_t>(sql("select f()")) == std::vector<std::int32_t>{1});
}

TEST_CASE("what an administrator has made read only is read only to writes, also after a read") {
  database d("create table t (id int)");
  d.exec("alter database " + d.name() + " set default_transaction_read_only = on");
  auto client = d.open(patient({.pool = {.min = 0, .max = 1}}));

  CHECK_ERRC(client.write(sql("insert into t values (1)")), errc::read_only);
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from t")) == 0);
  CHECK_ERRC(client.write(sql("insert into t values (1)")), errc::read_only);
  CHECK(client.read_one<std::int64_t>(sql("select count(*) from t")) == 0);
}

TEST_CASE("a write that waits for a lock is undone when its time is over") {
  database d("create table t (id int primary key, n int); insert into t values (1, 0)");
  auto client = d.open(patient());
  client.write(sql("update t set n = 0 where id = 1"));
  auto holder = client.begin();
  holder.write(sql("update t set n = 1 where id = 1"));
  client.read_one<std::int32_t>(sql("select n from t"));  // Opens a second connection.

  auto late = error_of(
      [&] { client.write(sql("update t set n = n + 10 where id = 1"), {.timeout = 100ms}); });
  std::stop_source stop;
  auto stopped = client.async_write(sql("update t set n = n + 100 where id = 1"),
                                    {.stop = stop.get_token()}, boost::asio::use_future);
  CHECK(wait_until([&] {
    return d.query_one("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") ==
           "1";
  }));
  stop.request_stop();

  CHECK(late.code() == errc::execution_timeout);
  CHECK_ERRC(stopped.get(), errc::cancelled);
  holder.commit();
  CHECK(client.read_one<std::int32_t>(sql("select n from t")) == 1);
}
