// Commits whose answer never came.

#include "postgres_fixture.hpp"
#include "support/postgres/cluster.hpp"
#include "support/tcp_proxy.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>

using namespace postgres_test;
using namespace std::chrono_literals;

namespace {

/// A client that reaches its server through a proxy.
struct proxied {
  support::postgres::server server;
  support::tcp_proxy proxy{server.port()};
  db::client client;

  explicit proxied(support::postgres::server_params params = {})
      : server(std::move(params)),
        client(db::client::open(
            "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/postgres",
            {.pool = {.min = 1, .max = 3}})) {
    client.run_script("create table t (id bigint primary key)");
  }

  std::string rows() { return server.query_one("select count(*) from t"); }

  /// A commit is sent, and its answer lost.
  void lose_answer(db::transaction& tx, std::future<db::write_result>& end) {
    proxy.set_to_client({.swallow = true});
    end = std::async(std::launch::async, [&] { return tx.commit(); });
    CHECK(server.wait_for("select count(*) from t", "1"));
  }
  /// The bytes of the commit never arrive as a whole.
  void lose_commit(db::transaction& tx, std::future<db::write_result>& end) {
    proxy.set_to_server({.cut_after = 1});
    end = std::async(std::launch::async, [&] { return tx.commit(); });
    CHECK(server.wait_for("select count(*) from pg_stat_activity where backend_xid is not null",
                          "0"));
  }
};

}  // namespace

TEST_CASE("a commit whose answer was lost is found to have been made") {
  proxied p;
  auto tx = p.client.begin();
  tx.write(sql("insert into t values (1)"));
  std::future<db::write_result> end;

  p.lose_answer(tx, end);
  p.proxy.cut_all_and_heal();
  const auto done = end.get();

  CHECK_FALSE(done.token().empty());
  CHECK_FALSE(tx.is_open());
  CHECK(p.client.statistics().transactions_committed == 2);
  CHECK(p.client.read_one<std::int64_t>(sql("select count(*) from t")) == 1);
}

TEST_CASE("a commit that was lost on its way is found to have been rolled back") {
  proxied p;
  auto tx = p.client.begin();
  tx.write(sql("insert into t values (1)"));
  std::future<db::write_result> end;

  p.lose_commit(tx, end);
  p.proxy.heal();
  const auto e = support::error_of([&] { end.get(); });

  CHECK(e.code() == errc::connection_lost);
  CHECK(scalekit::is_transient(e));
  CHECK(support::contains(e.what(), "rolled the transaction back"));
  CHECK(p.rows() == "0");
}

TEST_CASE("transaction() runs again what was rolled back with its connection") {
  proxied p;
  int runs = 0;

  p.client.transaction([&](db::transaction& tx) {
    tx.write(sql("insert into t values (1)"));
    if (++runs == 1) p.proxy.cut_all();
  });

  CHECK(runs == 2);
  CHECK(p.rows() == "1");
}

TEST_CASE("a commit of a script whose answer was lost is found as well") {
  proxied p;
  auto tx = p.client.begin();
  tx.run_script("insert into t values (1)");
  std::future<db::write_result> end;

  p.lose_answer(tx, end);
  p.proxy.cut_all_and_heal();

  CHECK_FALSE(end.get().token().empty());
}

TEST_CASE("a lost commit stays in doubt when another server answers in its place") {
  proxied p;
  support::postgres::server other({.own_identity = true});
  auto tx = p.client.begin();
  tx.write(sql("insert into t values (1)"));
  std::future<db::write_result> end;

  p.lose_answer(tx, end);
  p.proxy.set_target(other.port());
  p.proxy.cut_all_and_heal();
  const auto e = support::error_of([&] { end.get(); });

  CHECK(e.code() == errc::commit_in_doubt);
  CHECK(scalekit::outcome_unknown(e));
  CHECK(p.rows() == "1");
}

TEST_CASE("a lost commit stays in doubt when nobody can be asked in time, and is not run again") {
  proxied p;
  int runs = 0;

  auto end = std::async(std::launch::async, [&] {
    p.client.transaction(
        [&](db::transaction& tx) {
          ++runs;
          tx.write(sql("insert into t values (1)"));
          p.proxy.set_to_client({.swallow = true});
        },
        {.timeout = 1s});
  });
  CHECK(p.server.wait_for("select count(*) from t", "1"));
  p.proxy.set_accepting(support::accept_mode::refuse);
  p.proxy.cut_all();
  const auto e = support::error_of([&] { end.get(); });

  CHECK(e.code() == errc::commit_in_doubt);
  CHECK(runs == 1);
  CHECK(p.rows() == "1");
}

TEST_CASE("a commit lost with a server that crashed is not taken for one that came after it") {
  // What was not flushed is gone after the crash, the transaction's id with it.
  support::postgres::server server({.more = {{"wal_writer_delay", "10s"}}});
  auto client = db::client::open(server.socket_url(), {.pool = {.min = 1, .max = 2}});
  client.run_script("create table t (id bigint primary key)");
  auto tx = client.begin();
  tx.write(sql("insert into t values (1)"));
  const auto xid = tx.read_one<std::int64_t>(sql("select pg_current_xact_id()::text::int8"));

  server.kill9();
  server.start();
  // Somebody else is given it, and commits.
  while (std::stoll(server.query_one("select pg_current_xact_id()")) < xid) {
  }
  const auto e = support::error_of([&] { tx.commit(); });

  CHECK(server.query_one("select count(*) from t") == "0");
  CHECK(e.code() == errc::commit_in_doubt);
}

TEST_CASE("a commit lost with a server that was stopped in order is found") {
  proxied p;
  auto tx = p.client.begin();
  tx.write(sql("insert into t values (1)"));
  std::future<db::write_result> end;

  p.lose_answer(tx, end);
  p.server.restart();
  p.proxy.cut_all_and_heal();

  CHECK_NOTHROW(end.get());
}

TEST_CASE("a commit lost with its primary is not taken for one that came after a promotion") {
  // What was not flushed was sent to no standby, which gives the transaction's id to another.
  support::postgres::cluster servers(
      {.replicas = 1, .server = {.more = {{"wal_writer_delay", "10s"}}}});
  support::tcp_proxy proxy(servers.node(0).port());
  auto client = db::client::open(
      "postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) + "/postgres",
      {.pool = {.min = 1, .max = 2}});
  client.run_script("create table t (id bigint primary key)");
  servers.wait_until_caught_up();
  auto tx = client.begin();
  tx.write(sql("insert into t values (1)"));
  const auto xid = tx.read_one<std::int64_t>(sql("select pg_current_xact_id()::text::int8"));

  servers.node(0).kill9();
  servers.promote(1);
  auto& heir = servers.node(1);
  while (std::stoll(heir.query_one("select pg_current_xact_id()")) < xid) {
  }
  REQUIRE(heir.query_one("select pg_xact_status('" + std::to_string(xid) + "'::xid8)") ==
          "committed");
  proxy.set_target(heir.port());
  const auto e = support::error_of([&] { tx.commit(); });

  CHECK(e.code() == errc::commit_in_doubt);
  CHECK(heir.query_one("select count(*) from t") == "0");
}
