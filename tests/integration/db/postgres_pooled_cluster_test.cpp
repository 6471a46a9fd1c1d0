// A PgBouncer in transaction mode before the primary and before each of its replicas.

#include "postgres_topology_fixture.hpp"
#include "promotion_fixture.hpp"
#include "scalekit/db.hpp"
#include "support/event_log.hpp"
#include "support/postgres/cluster.hpp"
#include "support/postgres/pgbouncer.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using boost::asio::use_future;
using db::consistency;
using db::sql;
using support::contains;
using support::error_of;
using support::event_log;
using support::wait_until;
using support::postgres::cluster;
using support::postgres::cluster_params;
using support::postgres::pgbouncer;
using support::postgres::pgbouncer_params;
using support::postgres::replication;
using topology_test::make_table;
using topology_test::patient;
using topology_test::paused_replay;

namespace {

/// Who asks for a server that is gone is told so, and soon.
const pgbouncer_params impatient{
    .more = {{"server_login_retry", "1"}, {"query_wait_timeout", "2"}}};

/// Node i of the cluster is only known by its pooler, which is host i of the URL.
struct pooled_cluster {
  cluster of;
  std::vector<std::unique_ptr<pgbouncer>> poolers;

  explicit pooled_cluster(const cluster_params& params = {}) : of(params) {
    for (std::size_t i = 0; i < of.size(); ++i) {
      poolers.push_back(std::make_unique<pgbouncer>(of.node(i), impatient));
    }
  }

  std::string url(const std::string& declared = "?transaction_pooler=true") const {
    std::string hosts;
    for (const auto& each : poolers) {
      hosts += (hosts.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(each->port());
    }
    return "postgresql://postgres@" + hosts + "/postgres" + declared;
  }
  std::int64_t port(std::size_t i) { return of.node(i).port(); }
};

/// For tests that leave it as it was.
pooled_cluster& shared() {
  static pooled_cluster running;
  return running;
}

/// Of the server itself: its pooler comes by the unix socket.
db::statement port() {
  return sql("select current_setting('port')::bigint");
}

std::int64_t port_of_read(db::client& c, const db::call_options& options = {}) {
  return c.read_one<std::int64_t>(port(), options);
}

/// Waits until it was seen that reads are made there.
bool is_read_on(db::client& c, std::int64_t wanted, const db::call_options& options = {}) {
  return wait_until([&] { return port_of_read(c, options) == wanted; });
}

}  // namespace

TEST_CASE("behind poolers the hosts have their roles, and calls go where they belong") {
  auto& at = shared();
  event_log events;
  auto params = patient();
  params.log = events.sink();
  std::string declared;
  SUBCASE("that were declared") {
    declared = "?transaction_pooler=true";
  }
  SUBCASE("that were found") {}
  auto client = db::client::open(at.url(declared), params);

  const auto read = port_of_read(client);
  const auto written = client.write<std::int64_t>(port()).at(0);
  const auto in_transaction =
      client.transaction([](db::transaction& tx) { return tx.read_one<std::int64_t>(port()); });
  const auto read_only = client.transaction(
      [](db::transaction& tx) { return tx.read_one<std::int64_t>(port()); }, {.read_only = true});
  const auto on_primary = port_of_read(client, {.consistency = consistency::primary()});

  CHECK(read != at.port(0));
  CHECK(written == at.port(0));
  CHECK(in_transaction == at.port(0));
  CHECK(read_only != at.port(0));
  CHECK(on_primary == at.port(0));
  CHECK(is_read_on(client, at.port(1)));
  CHECK(is_read_on(client, at.port(2)));
  CHECK(wait_until([&] {
    const auto hosts = client.statistics().hosts;
    return hosts[0].role == db::host_role::primary && hosts[1].role == db::host_role::replica &&
           hosts[2].role == db::host_role::replica;
  }));
  for (const auto& host : client.statistics().hosts) CHECK(host.behind_pooler);
  CHECK(events.count("db.host.pooler_found") == (declared.empty() ? 3 : 0));
}

TEST_CASE("behind poolers nothing is prepared and no connection shared, on any host") {
  auto& at = shared();
  auto client = db::client::open(at.url(), patient());
  const auto prepared = sql("select count(*)::int from pg_prepared_statements");
  const auto twice = [](int n) { return sql("select 2 * $1::int", n); };

  for (int round = 0; round < 30; ++round) {
    std::vector<std::future<std::vector<int>>> reads;
    for (int i = 0; i < 20; ++i) reads.push_back(client.async_read<int>(twice(i), use_future));
    for (int i = 0; i < 20; ++i) {
      CHECK(reads[static_cast<std::size_t>(i)].get() == std::vector<int>{2 * i});
    }
  }
  client.transaction([&](db::transaction& tx) {
    for (int i = 0; i < 5; ++i) CHECK(tx.read_one<int>(twice(i)) == 2 * i);
  });

  const auto told = client.statistics();
  CHECK(told.shared_reads == 0);
  CHECK(told.lanes.proofs == 0);
  CHECK(client.read_one<int>(prepared, {.consistency = consistency::primary()}) == 0);
  for (int i = 0; i < 20; ++i) CHECK(client.read_one<int>(prepared) == 0);
}

TEST_CASE("behind poolers a read after a token sees the write, and goes where it was replayed") {
  auto& at = shared();
  make_table(at.of, "pooled_tokens");
  auto client = db::client::open(at.url(), patient());
  auto other = db::client::open(at.url(), patient());
  const auto count = sql("select count(*) from pooled_tokens");
  const auto seen_by = [&](db::client& c, const db::call_options& options = {}) {
    return c.read_one<std::int64_t>(count, options);
  };
  REQUIRE(is_read_on(other, at.port(1)));
  REQUIRE(is_read_on(other, at.port(2)));

  const auto before = client.write(sql("insert into pooled_tokens values (1)")).token();
  CHECK(seen_by(other, {.consistency = consistency::after(before)}) == 1);
  // ... on replicas too, once they have it.
  at.of.wait_until_caught_up();
  CHECK(is_read_on(other, at.port(1), {.consistency = consistency::after(before)}));
  CHECK(is_read_on(other, at.port(2), {.consistency = consistency::after(before)}));
  {
    const paused_replay paused(at.of, {1});
    const auto token = client.write(sql("insert into pooled_tokens values (2)")).token();
    const db::call_options after{.consistency = consistency::after(token)};

    CHECK(is_read_on(other, at.port(2), after));
    for (int i = 0; i < 50; ++i) {
      CHECK(seen_by(client) == 2);
      CHECK(seen_by(other, after) == 2);
      CHECK(port_of_read(other, after) != at.port(1));
    }
    const paused_replay both(at.of, {2});
    const auto last = client.write(sql("insert into pooled_tokens values (3)")).token();
    CHECK(seen_by(client) == 3);
    CHECK(seen_by(other, {.consistency = consistency::after(last)}) == 3);
    CHECK(port_of_read(other, {.consistency = consistency::after(last)}) == at.port(0));
  }
  CHECK(is_read_on(client, at.port(1)));
}

TEST_CASE("a replica dies behind its pooler: its reads are made elsewhere, until it is back") {
  auto& at = shared();
  auto client = db::client::open(at.url(), patient());
  REQUIRE(is_read_on(client, at.port(2)));
  std::atomic<bool> over{false};
  std::atomic<int> failures{0};
  std::mutex mutex;
  std::vector<std::string> why;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!over) {
        try {
          port_of_read(client);
        } catch (const std::exception& e) {
          ++failures;
          const std::lock_guard lock(mutex);
          why.emplace_back(e.what());
        }
      }
    });
  }
  const auto dead = [&] { return client.statistics().hosts[2]; };

  at.of.node(2).kill9();
  const bool gone = wait_until([&] { return contains(dead().state, "unreachable"); });
  const auto reads = dead().reads;
  for (int i = 0; i < 50; ++i) CHECK(port_of_read(client) != at.port(2));
  const auto reads_since = dead().reads - reads;
  at.of.node(2).start();
  const bool back = is_read_on(client, at.port(2));
  over = true;
  for (auto& each : readers) each.join();

  CHECK(gone);
  CHECK(reads_since == 0);
  CHECK(back);
  CHECK(failures == 0);
  for (const auto& each : why) MESSAGE(each);
}

TEST_CASE("the primary dies behind its pooler: writes go on on the heir, and none is lost") {
  pooled_cluster at({.mode = replication::on, .must_confirm = 2});
  auto& of = at.of;
  of.primary().exec("create table promoted (n bigint primary key)");
  of.wait_until_caught_up();
  event_log events;
  auto params = patient();
  params.log = events.sink();
  auto client = db::client::open(at.url(), params);
  topology_test::promoted_writers writers(client);
  const bool began = writers.go_on(50);

  const auto heir = topology_test::lose_primary(of);
  const bool went_on = writers.go_on(50);
  writers.stop();
  const auto written = client.write<std::int64_t>(port()).at(0);

  CHECK(began);
  CHECK(went_on);
  CHECK(written == at.port(heir));
  CHECK(events.has("db.failover"));
  CHECK(events.has("db.host.role_changed"));
  CHECK(std::ranges::includes(writers.kept(), writers.acknowledged()));
  // The other replica serves reads of the new primary's log.
  CHECK(is_read_on(client, at.port(3 - heir)));
}

TEST_CASE("a server dies behind its pooler: what it was about to write is in doubt, or lost") {
  support::postgres::server server;
  const pgbouncer pooler(server, impatient);
  server.exec(
      "create table slow (n int); create function sleep() returns trigger language plpgsql as"
      " 'begin perform pg_sleep(300); return null; end';"
      "create table slow_commit (n int);"
      "create constraint trigger at_commit after insert on slow_commit"
      " deferrable initially deferred for each row execute function sleep()");
  auto client = db::client::open(pooler.url() + "?transaction_pooler=true", patient());
  const auto code_of = [](auto call) {
    return std::async(std::launch::async, [call] { return error_of(call).code(); });
  };
  const auto is_asleep = [&] {
    return server.wait_for("select count(*) from pg_stat_activity where wait_event = 'PgSleep'",
                           "1");
  };

  auto write = code_of([&] { client.write(sql("insert into slow select 1 from pg_sleep(300)")); });
  REQUIRE(is_asleep());
  server.kill9();
  CHECK(write.get() == errc::commit_in_doubt);

  // No server has heard of these.
  const auto e = error_of([&] { client.write(sql("insert into slow values (1)")); });
  CHECK(e.code() == errc::connection_lost);
  CHECK_FALSE(e.diag().server_message.empty());
  CHECK_ERRC(client.read<int>(sql("select 1")), errc::connection_lost);
  CHECK_ERRC(client.transaction([](db::transaction& tx) { tx.write(sql("delete from slow")); },
                                {.max_attempts = 1}),
             errc::connection_lost);

  server.start();
  REQUIRE(wait_until([&] {
    try {
      return client.read_one<int>(sql("select count(*)::int from slow")) == 0;
    } catch (const error&) {
      return false;
    }
  }));
  auto commit = code_of([&] {
    client.transaction(
        [](db::transaction& tx) { tx.write(sql("insert into slow_commit values (1)")); },
        {.max_attempts = 1});
  });
  REQUIRE(is_asleep());
  server.kill9();
  server.start();
  // It was asked what became of it, which not every crash leaves to be told.
  const auto code = commit.get();
  CHECK((code == errc::connection_lost || code == errc::commit_in_doubt));
}
