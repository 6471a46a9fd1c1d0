// The conformance suite of room db through PgBouncer in transaction mode, and what is different
// there.

#include "conformance/db_suite_engines.hpp"
#include "scalekit/db/listener.hpp"
#include "support/event_log.hpp"
#include "support/postgres/admin.hpp"
#include "support/postgres/pgbouncer.hpp"
#include "support/postgres/server.hpp"
#include "support/wait_until.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace {

support::postgres::server& server() {
  static support::postgres::server running({.max_connections = 300});
  return running;
}

const support::postgres::pgbouncer& pooler() {
  // It keeps connections to the databases of tests that are over.
  static const support::postgres::pgbouncer running(server(),
                                                    {.more = {{"server_idle_timeout", "2"}}});
  return running;
}

std::string new_database() {
  static std::atomic<int> next{0};
  auto name = "suite_" + std::to_string(next++);
  server().create_database(name);
  return name;
}

std::string url_of(const std::string& database) {
  const auto url = pooler().url(database);
  return url + (url.find('?') == std::string::npos ? "?" : "&") + "transaction_pooler=true";
}

class pooled_database final : public db_suite::postgres_database {
 public:
  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    return scalekit::db::client::open(url_of(name_), std::move(params), std::move(exec));
  }

 private:
  const std::string name_ = new_database();
};

}  // namespace

namespace db_suite {

std::unique_ptr<database> make_database() {
  return std::make_unique<pooled_database>();
}

}  // namespace db_suite

namespace {

namespace db = scalekit::db;
using namespace std::chrono_literals;
using scalekit::errc;
using scalekit::db::sql;
using support::error_of;
using support::event_log;
using support::wait_until;
using support::postgres::pgbouncer;
using support::postgres::pool_mode;

/// What a client leaves behind in its sessions.
int prepared_statements(db::client& client) {
  return client.read_one<int>(sql("select count(*)::int from pg_prepared_statements"));
}

bool is_behind_pooler(const db::client& client) {
  return client.statistics().hosts.front().behind_pooler;
}

/// Four clients at once on one connection to the server.
void check_shared_connection(const std::string& said) {
  CAPTURE(said);
  const pgbouncer narrow(server(), {.pool_size = 1});
  const auto name = new_database();
  server().exec("create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)",
                name);
  const auto url = narrow.url(name) + said;
  std::atomic<int> wrong{0};

  std::vector<std::thread> users;
  for (int u = 0; u < 4; ++u) {
    users.emplace_back([&, u] {
      auto client = db::client::open(url, {.statement_timeout = 1min, .acquire_timeout = 1min});
      for (int i = 0; i < 50; ++i) {
        client.write(sql("update t set n = n + 1 where id = $1", 1 + u % 2));
        if (client.read_one<int>(sql("select id from t where id = $1", u % 2 + 1)) != u % 2 + 1) {
          ++wrong;
        }
      }
    });
  }
  for (auto& u : users) u.join();

  CHECK(wrong == 0);
  CHECK(server().query_one("select sum(n) from t", name) == "200");
  // Who looked into the database just now may not be gone yet.
  CHECK(wait_until([&] {
    return server().query_one(
               "select count(*) from pg_stat_activity where backend_type = 'client backend' and "
               "datname = '" +
               name + "'") == "1";
  }));
}

TEST_CASE("many clients share one connection to the server, and none meets another's session") {
  check_shared_connection("?transaction_pooler=true");
}

TEST_CASE("nor do they where nobody has said that there is a pooler") {
  check_shared_connection("");
}

TEST_CASE(
    "a pooler that nobody has declared is found, whatever its mode, and the log says so once") {
  for (const auto mode : {pool_mode::transaction, pool_mode::session}) {
    CAPTURE(static_cast<int>(mode));
    const pgbouncer between(server(), {.mode = mode});
    event_log events;
    auto client =
        db::client::open(between.url(new_database()), {.pool = {.min = 3}, .log = events.sink()});

    CHECK(prepared_statements(client) == 0);
    CHECK(wait_until([&] { return client.statistics().hosts.front().pool.idle == 3; }));

    CHECK(is_behind_pooler(client));
    CHECK(events.count("db.host.pooler_found") == 1);
    CHECK(events.last("db.host.pooler_found").find("Say transaction_pooler=true") !=
          std::string::npos);
  }
}

TEST_CASE("without a pooler, or with one declared to be in session mode, sessions are used") {
  const pgbouncer sessions(server(), {.mode = pool_mode::session});
  const auto name = new_database();
  for (const auto& url : {server().url(name), server().socket_url(name),
                          sessions.url(name) + "?transaction_pooler=false"}) {
    CAPTURE(url);
    event_log events;
    auto client = db::client::open(url, {.log = events.sink()});

    CHECK(prepared_statements(client) > 0);

    CHECK_FALSE(is_behind_pooler(client));
    CHECK_FALSE(events.has("db.host.pooler_found"));
  }
}

TEST_CASE(
    "a pooler that does not pass on the question for it is no connection, and waits for none") {
  pgbouncer paused(server());
  const auto name = new_database();
  auto client = db::client::open(
      paused.url(name),
      {.acquire_timeout = 20s, .pool = {.create_timeout = 300ms, .create_retry_interval = 10ms}});
  // It has met the database, so that logins need no server.
  REQUIRE(support::postgres::run_sql(paused.url(name), "select 1") == "1");
  paused.console("PAUSE");

  try {
    client.read_one<int>(sql("select 1"));
    FAIL("a read went through");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == errc::unavailable);
    CHECK(std::string(e.what()).find("transaction_pooler is not set") != std::string::npos);
  }
  paused.console("RESUME");

  CHECK(wait_until([&] {
    try {
      return client.read_one<int>(sql("select 1")) == 1;
    } catch (const scalekit::error&) {
      return false;
    }
  }));
  CHECK(is_behind_pooler(client));
}

TEST_CASE("a read behind a pooler cannot write, and no write is refused for it") {
  const auto name = new_database();
  server().exec(
      "create table t (id int);"
      "create function f() returns int language sql as 'insert into t values (1) returning id'",
      name);
  auto client = db::client::open(url_of(name));

  for (int i = 0; i < 3; ++i) {
    CHECK_ERRC(client.read<int>(sql("select f()")), errc::not_allowed);
    CHECK(client.write<int>(sql("select f()")) == std::vector<int>{1});
  }

  CHECK(client.read_one<int>(sql("select count(*)::int from t")) == 3);
}

TEST_CASE("what a client gave up behind a pooler does not go on at the server") {
  const auto name = new_database();
  auto client = db::client::open(url_of(name), {.pool = {.min = 1, .max = 4}});
  const auto endless = db::unsafe_sql(db_suite::postgres_database::endless);
  const auto still_running = [&] {
    return server().query_one("select count(*) from pg_stat_activity where datname = '" + name +
                              "' and state = 'active' and query like '%generate_series%'");
  };

  for (int i = 0; i < 8; ++i) {
    // It may have to wait for a connection, so long that no time is left.
    CHECK(scalekit::is_timeout(
        error_of([&] { client.read<std::int64_t>(endless, {.timeout = 30ms}); })));
    CHECK_THROWS_AS(client.read_each<std::int64_t>(sql("select generate_series(1, 1000000000)"),
                                                   [](std::int64_t) { throw 1; }),
                    int);
  }

  CHECK(wait_until([&] { return still_running() == "0"; }));
}

TEST_CASE("a change of the schema behind a pooler heals") {
  const auto name = new_database();
  server().exec("create table t (id int, name text); insert into t values (1, 'one')", name);
  auto client = db::client::open(url_of(name), {.pool = {.min = 1, .max = 1}});
  const auto read = [&] {
    return client.read_one<std::tuple<std::int64_t, std::string>>(
        sql("select * from t where id = $1", 1));
  };
  const std::tuple<std::int64_t, std::string> row{1, "one"};
  CHECK(read() == row);

  server().exec("alter table t alter id type bigint", name);
  CHECK(read() == row);
  server().exec("alter table t alter id type numeric", name);
  server().exec("alter table t alter id type smallint", name);
  CHECK(read() == row);
  server().exec("drop table t; create table t (id text, name text)", name);
  server().exec("insert into t values ('1', 'one')", name);
  CHECK(client.read_one<std::string>(sql("select name from t where id = $1", "1")) == "one");
}

TEST_CASE("a listener does not take a pooler's address") {
  CHECK_ERRC(db::listener(url_of("postgres"),
                          {.channels = {"c"}, .on_notification = [](const db::notification&) {}}),
             errc::not_supported);
}

TEST_CASE("a listener that finds a pooler says so, unless that is declared to be in session mode") {
  const auto listen = [](const std::string& url, event_log& events) {
    return db::listener(url, {.channels = {"c"},
                              .on_notification = [](const db::notification&) {},
                              .reconnect = {.base = 10ms, .cap = 100ms},
                              .log = events.sink()});
  };
  const pgbouncer sessions(server(), {.mode = pool_mode::session});
  event_log found, declared;

  const auto deaf = listen(pooler().url(), found);
  const auto hears = listen(sessions.url() + "?transaction_pooler=false", declared);

  CHECK(wait_until([&] { return found.count("db.listener.lost") > 1; }));
  CHECK(found.last("db.listener.lost").find("transaction_pooler=false") != std::string::npos);
  CHECK_FALSE(found.has("db.listener.connected"));
  CHECK_FALSE(deaf.is_listening());
  CHECK(wait_until([&] { return hears.is_listening(); }));
}

}  // namespace
