// Calls that are on their way while their servers change.

#include "postgres_topology_fixture.hpp"
#include "scalekit/db.hpp"
#include "support/event_log.hpp"
#include "support/postgres/cluster.hpp"
#include "support/tcp_proxy.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using boost::asio::use_future;
using db::consistency;
using db::sql;
using support::event_log;
using support::tcp_proxy;
using support::wait_until;
using support::postgres::cluster;
using topology_test::make_table;
using topology_test::patient;
using topology_test::port;
using topology_test::port_of_read;
using topology_test::shared_cluster;

TEST_CASE("who waits for a connection to a primary that is replaced writes on the new one") {
  cluster of({.replicas = 1});
  event_log events;
  auto params = patient();
  params.log = events.sink();
  params.pool = {.min = 0, .max = 1, .shed_target = 0s};
  auto client = db::client::open(of.url(), params);
  auto holder = client.begin();
  std::vector<std::future<std::int64_t>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(
        std::async(std::launch::async, [&] { return client.write<std::int64_t>(port()).at(0); }));
    waiting.push_back(std::async(std::launch::async, [&] {
      return client.async_write_returning<std::int64_t>(port(), use_future).get().at(0);
    }));
    waiting.push_back(client.async_transaction(
        [](db::transaction& tx) { return tx.read_one<std::int64_t>(port()); }, use_future));
  }
  REQUIRE(wait_until([&] { return client.statistics().writer.waiting == waiting.size(); }));

  // Nobody stops the old one.
  of.promote(1);
  const bool replaced = wait_until([&] { return events.has("db.failover"); });
  holder.rollback();

  CHECK(replaced);
  for (auto& each : waiting) CHECK(each.get() == of.primary().port());
}

TEST_CASE("a client goes on when all its servers were replaced by those of another cluster") {
  const support::postgres::cluster_params apart{.replicas = 1, .server = {.own_identity = true}};
  cluster old(apart), upgraded(apart);
  for (auto* each : {&old, &upgraded}) {
    each->primary().exec("create table t (n bigint primary key)");
    each->wait_until_caught_up();
  }
  tcp_proxy first(old.node(0).port()), second(old.node(1).port());
  auto client = db::client::open("postgresql://postgres@127.0.0.1:" + std::to_string(first.port()) +
                                     ",127.0.0.1:" + std::to_string(second.port()) + "/postgres",
                                 patient());
  const auto count = [&](const db::call_options& options = {}) {
    return client.read_one<std::int64_t>(sql("select count(*) from t"), options);
  };
  const auto token = client.write(sql("insert into t values (1)")).token();
  REQUIRE(count() == 1);

  first.set_target(upgraded.node(0).port());
  second.set_target(upgraded.node(1).port());
  first.cut_all();
  second.cut_all();
  const bool is_known = wait_until([&] {
    try {
      count({.consistency = consistency::after(token)});
      return false;
    } catch (const error& e) {
      return e.code() == errc::invalid_argument;
    }
  });
  const auto there = count();
  const bool uses_replica =
      wait_until([&] { return port_of_read(client) == upgraded.node(1).port(); });
  upgraded.pause_replay(1);
  const auto next = client.write(sql("insert into t values (2), (3)")).token();
  const auto own = count();
  const auto own_and = [&](const std::string& other) {
    return count({.consistency = consistency::own_writes_and(db::causal_token::parse(other))});
  };

  CHECK(is_known);
  CHECK(there == 0);
  CHECK(uses_replica);
  CHECK(own == 2);
  CHECK(own_and(next) == 2);
  CHECK_ERRC(own_and(token), errc::invalid_argument);
}

TEST_CASE("one address that led to a standby: the write that finds out is the last to fail") {
  auto& of = shared_cluster();
  make_table(of, "addressed");
  const auto insert =
      sql("insert into addressed values ((select coalesce(max(n), 0) + 1 from addressed))");
  const struct {
    const char* how;
    std::function<void(db::client&)> write;
  } table[] = {
      {"write", [&](db::client& c) { c.write(insert); }},
      {"async", [&](db::client& c) { c.async_write(insert, use_future).get(); }},
      {"transaction",
       [&](db::client& c) { c.transaction([&](db::transaction& tx) { tx.write(insert); }); }},
  };
  for (const auto& c : table) {
    INFO(c.how);
    tcp_proxy address(of.node(1).port());
    auto client = db::client::open(
        "postgresql://postgres@127.0.0.1:" + std::to_string(address.port()) + "/postgres",
        patient());
    const auto fill = [&] {
      std::vector<std::future<std::vector<std::int64_t>>> reads;
      for (int i = 0; i < 5; ++i) {
        reads.push_back(client.async_read<std::int64_t>(
            sql("select inet_server_port()::bigint from pg_sleep(0.3)"), use_future));
      }
      for (auto& each : reads) CHECK(each.get().at(0) == of.node(1).port());
    };
    fill();
    CHECK_ERRC(c.write(client), errc::read_only);
    fill();

    address.set_target(of.primary().port());
    CHECK_ERRC(c.write(client), errc::read_only);

    c.write(client);
    CHECK(port_of_read(client) == of.primary().port());
    CHECK(client.statistics().writer.closed.evicted > 5);
  }
}

TEST_CASE("a serializable transaction that only reads runs on the primary") {
  auto& of = shared_cluster();
  auto client = db::client::open(of.url(), patient());
  const auto port_of = [](db::transaction& tx) { return tx.read_one<std::int64_t>(port()); };

  for (const bool deferrable : {false, true}) {
    const db::transaction_options options{.read_only = true,
                                          .isolation = db::isolation_level::serializable,
                                          .deferrable = deferrable};

    CHECK(client.transaction(port_of, options) == of.primary().port());
    CHECK(client.async_transaction(port_of, options, use_future).get() == of.primary().port());
  }
}

TEST_CASE("a read that a replica ends for its replay runs once more") {
  cluster of({.replicas = 1, .server = {.more = {{"max_standby_streaming_delay", "0"}}}});
  of.primary().exec("create table t as select generate_series(1, 1000) n");
  of.wait_until_caught_up();
  auto client = db::client::open(of.url(), patient());
  const auto count = sql("select count(*) from t, pg_sleep(2)");
  REQUIRE(port_of_read(client) == of.node(1).port());
  const auto until_it_is_in_the_way = [&](const std::string& rows) {
    REQUIRE(of.node(1).wait_for(
        "select count(*) from pg_stat_activity where wait_event = 'PgSleep'", "1"));
    of.primary().exec("delete from t where " + rows);
    of.primary().exec("vacuum t");
  };

  auto blocking =
      std::async(std::launch::async, [&] { return client.read_one<std::int64_t>(count); });
  until_it_is_in_the_way("n % 2 = 0");
  CHECK(blocking.get() == 500);
  auto async = client.async_read<std::int64_t>(count, use_future);
  until_it_is_in_the_way("n % 4 = 1");
  CHECK(async.get().at(0) == 250);

  CHECK(
      of.node(1).wait_for("select sum(confl_snapshot) >= 2 from pg_stat_database_conflicts", "t"));
}

TEST_CASE("asynchronous transactions on a replica hold up none on the primary") {
  auto& of = shared_cluster();
  auto params = patient();
  params.pool = {.min = 0, .max = 1, .shed_target = 0s};
  auto client = db::client::open(of.url(), params);
  std::promise<void> begun, over;

  auto report = client.async_transaction(
      [&](db::transaction& tx) {
        begun.set_value();
        over.get_future().wait();
        return tx.read_one<std::int64_t>(port());
      },
      {.read_only = true}, use_future);
  begun.get_future().wait();
  auto written = client.async_transaction(
      [](db::transaction& tx) { return tx.read_one<std::int64_t>(port()); }, use_future);
  const auto meanwhile = written.wait_for(20s);
  over.set_value();

  CHECK(meanwhile == std::future_status::ready);
  CHECK(written.get() == of.primary().port());
  CHECK(report.get() != of.primary().port());
}
