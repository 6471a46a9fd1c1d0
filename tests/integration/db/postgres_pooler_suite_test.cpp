// The conformance suite of room db through PgBouncer in transaction mode, and what is different
// there.

#include "conformance/db_suite_fixture.hpp"
#include "scalekit/db/listener.hpp"
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

class pooled_database final : public db_suite::database {
 public:
  scalekit::db::client open(scalekit::db::client_params params, scalekit::execution exec) override {
    return scalekit::db::client::open(url_of(name_), std::move(params), std::move(exec));
  }

  std::string bytes_type() const override { return "bytea"; }
  std::string numbered_key() const override { return "bigint primary key"; }
  std::string endless_read() const override {
    return "select count(*) from generate_series(1, 1000000000) a";
  }

 private:
  const std::string name_ = new_database();
};

}  // namespace

std::unique_ptr<db_suite::database> db_suite::make_database() {
  return std::make_unique<pooled_database>();
}

namespace {

namespace db = scalekit::db;
using scalekit::errc;
using scalekit::db::sql;

TEST_CASE("many clients share one connection to the server, and none meets another's session") {
  const support::postgres::pgbouncer narrow(server(), {.pool_size = 1});
  const auto name = new_database();
  server().exec("create table t (id int primary key, n int); insert into t values (1, 0), (2, 0)",
                name);
  const auto url = narrow.url(name) + "?transaction_pooler=true";
  std::atomic<int> wrong{0};

  std::vector<std::thread> users;
  for (int u = 0; u < 4; ++u) {
    users.emplace_back([&, u] {
      auto client = db::client::open(url, {.statement_timeout = std::chrono::minutes(1),
                                           .acquire_timeout = std::chrono::minutes(1)});
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
  CHECK(support::wait_until([&] {
    return server().query_one(
               "select count(*) from pg_stat_activity where backend_type = 'client backend' and "
               "datname = '" +
               name + "'") == "1";
  }));
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

}  // namespace
