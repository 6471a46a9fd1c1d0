// The PostgreSQL driver with several hosts: a primary and streaming replicas.

#include "postgres_topology_fixture.hpp"
#include "promotion_fixture.hpp"
#include "scalekit/db.hpp"
#include "support/event_log.hpp"
#include "support/postgres/cluster.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using db::consistency;
using db::sql;
using support::event_log;
using support::wait_until;
using support::postgres::cluster;
using support::postgres::replication;
using topology_test::make_table;
using topology_test::patient;
using topology_test::paused_replay;
using topology_test::port_of_read;
using topology_test::shared_cluster;

namespace {

std::string message_of(const std::function<void()>& call, errc expected) {
  try {
    call();
  } catch (const error& e) {
    CHECK(e.code() == expected);
    return e.diag().client_message;
  }
  FAIL("it did not fail");
  return {};
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

TEST_CASE("reads go to replicas, writes and transactions to the primary") {
  auto& of = shared_cluster();
  auto client = db::client::open(of.url(), patient());

  const auto read = port_of_read(client);
  const auto written = client.write<std::int64_t>(sql("select inet_server_port()::bigint"));
  const auto in_transaction = client.transaction([](db::transaction& tx) {
    return tx.read_one<std::int64_t>(sql("select inet_server_port()::bigint"));
  });
  const auto read_only = client.transaction(
      [](db::transaction& tx) {
        return tx.read_one<std::int64_t>(sql("select inet_server_port()::bigint"));
      },
      {.read_only = true});
  const auto on_primary = port_of_read(client, {.consistency = consistency::primary()});

  CHECK(read != of.primary().port());
  CHECK(written.at(0) == of.primary().port());
  CHECK(in_transaction == of.primary().port());
  CHECK(read_only != of.primary().port());
  CHECK(on_primary == of.primary().port());
}

TEST_CASE(
    "a batch of reads goes to a replica, one with a write to the primary, and is seen after") {
  auto& of = shared_cluster();
  make_table(of, "batched");
  auto client = db::client::open(of.url(), patient());
  db::batch reads, mixed, after;
  auto of_reads = reads.read<std::int64_t>(sql("select inet_server_port()::bigint"));
  auto of_mixed = mixed.read<std::int64_t>(sql("select inet_server_port()::bigint"));
  mixed.write(sql("insert into batched values (1)"));
  auto seen = after.read<std::int64_t>(sql("select count(*) from batched"));

  client.run(reads);
  const auto done = client.run(mixed);
  client.run(after);

  CHECK(of_reads.take_one() != of.primary().port());
  CHECK(of_mixed.take_one() == of.primary().port());
  CHECK_FALSE(done.token().empty());
  CHECK(seen.take_one() == 1);
  client.run(reads, {.consistency = consistency::primary()});
  CHECK(of_reads.take_one() == of.primary().port());
}

TEST_CASE("statistics tell the role of every host") {
  auto& of = shared_cluster();
  auto client = db::client::open(of.url(), patient());
  port_of_read(client);

  CHECK(wait_until([&] {
    const auto hosts = client.statistics().hosts;
    return hosts.size() == 3 && hosts[0].role == db::host_role::primary &&
           hosts[1].role == db::host_role::replica && hosts[2].role == db::host_role::replica;
  }));

  const auto hosts = client.statistics().hosts;
  CHECK(hosts[0].name == "127.0.0.1:" + std::to_string(of.node(0).port()));
  CHECK(contains(hosts[0].state, "primary"));
  CHECK(contains(hosts[1].state, "replica, lag"));
}

TEST_CASE("a client, a session and a token see their writes while no replica replays") {
  auto& of = shared_cluster();
  make_table(of, "own_writes");
  auto client = db::client::open(of.url(), patient());
  auto other = db::client::open(of.url(), patient());
  const auto count = sql("select count(*) from own_writes");
  const db::call_options loose{.consistency = consistency::bounded(1h)};
  REQUIRE(wait_until([&] { return port_of_read(other, loose) != of.primary().port(); }));
  paused_replay pause(of);

  db::session visitor;
  client.write(sql("insert into own_writes values (1)"));
  const auto token =
      client.write(sql("insert into own_writes values (2)"), {.session = visitor}).token();
  const auto of_client = client.read_one<int>(count);
  const auto after = other.read_one<int>(count, {.consistency = consistency::after(token)});
  const auto of_session = other.read_one<int>(count, {.session = db::session(visitor.token())});
  const auto stale = other.read_one<int>(count, loose);
  client.transaction(
      [](db::transaction& tx) { tx.write(sql("insert into own_writes values (3)")); },
      {.session = visitor});
  const auto committed = client.read_one<int>(count);
  const auto committed_in_session =
      other.read_one<int>(count, {.session = db::session(visitor.token())});

  CHECK(of_client == 2);
  CHECK(after == 2);
  CHECK(of_session == 2);
  CHECK(stale == 0);
  CHECK(committed == 3);
  CHECK(committed_in_session == 3);
}

TEST_CASE("own writes and a token: neither is missed while no replica replays") {
  auto& of = shared_cluster();
  make_table(of, "own_and_others");
  auto client = db::client::open(of.url(), patient());
  auto other = db::client::open(of.url(), patient());
  const auto count = sql("select count(*) from own_and_others");
  REQUIRE(wait_until([&] { return port_of_read(client) != of.primary().port(); }));
  paused_replay pause(of);

  const auto theirs =
      db::causal_token::parse(other.write(sql("insert into own_and_others values (1)")).token());
  const auto with_theirs =
      client.read_one<int>(count, {.consistency = consistency::own_writes_and(theirs)});
  client.write(sql("insert into own_and_others values (2)"));
  const auto with_both =
      client.read_one<int>(count, {.consistency = consistency::own_writes_and(theirs)});
  const db::session older(theirs.to_string());
  const auto own_of_session = client.read_one<int>(
      count, {.consistency = consistency::own_writes_and({}), .session = older});

  CHECK(with_theirs == 1);
  CHECK(with_both == 2);
  CHECK(own_of_session == 2);
}

TEST_CASE("a read that may only run on a replica waits until it has replayed the token") {
  auto& of = shared_cluster();
  make_table(of, "waiting_reads");
  auto params = patient();
  params.topology.replica_labels =
      "127.0.0.1:" + std::to_string(of.node(1).port()) + ":role=reports";
  auto client = db::client::open(of.url(), params);
  paused_replay pause(of);
  const auto token = client.write(sql("insert into waiting_reads values (1)")).token();

  auto seen = std::async(std::launch::async, [&] {
    return client.read_one<int>(
        sql("select count(*) from waiting_reads"),
        {.consistency = consistency::after(token), .labels = {{"role", "reports"}}});
  });
  const auto before = seen.wait_for(200ms);
  pause.resume();

  CHECK(before == std::future_status::timeout);
  CHECK(seen.get() == 1);
}

TEST_CASE("a replica that lags takes no ordinary reads, and a bound decides for itself") {
  auto& of = shared_cluster();
  make_table(of, "lagging");
  auto client = db::client::open(of.url(), patient());
  const db::call_options any{.consistency = consistency::any()};
  CHECK(port_of_read(client, any) != of.primary().port());
  paused_replay pause(of);

  const bool left = wait_until([&] {
    of.primary().exec("insert into lagging values ((select count(*) from lagging))");
    return port_of_read(client, any) == of.primary().port();
  });
  const auto loose = port_of_read(client, {.consistency = consistency::bounded(1h)});
  const auto tight = port_of_read(client, {.consistency = consistency::bounded(1ms)});
  const auto lag_of = [&](std::size_t i) { return client.statistics().hosts.at(i).lag; };
  const bool lags_are_told = wait_until(
      [&] { return lag_of(1) > std::optional(100ms) && lag_of(2) > std::optional(100ms); });
  pause.resume();
  const bool back = wait_until([&] { return port_of_read(client, any) != of.primary().port(); });
  const bool lags_end = wait_until(
      [&] { return lag_of(1) < std::optional(100ms) && lag_of(2) < std::optional(100ms); });

  CHECK(lags_are_told);
  CHECK(lags_end);
  CHECK_FALSE(lag_of(0));
  CHECK(left);
  CHECK(loose != of.primary().port());
  CHECK(tight == of.primary().port());
  CHECK(back);
}

TEST_CASE("a write whose position the server has not told is seen all the same") {
  auto& of = shared_cluster();
  make_table(of, "unplaced");
  auto params = patient();
  // All on one connection, whose preparations are known then.
  params.pool.min = params.pool.max = 1;
  auto client = db::client::open(of.url(), params);
  client.write(sql("insert into unplaced values (1)"));
  const auto seen = [&](const db::call_options& options = {}) {
    return client.read_one<std::int64_t>(sql("select count(*) from unplaced"), options);
  };
  const auto port_of_own = [&] { return port_of_read(client); };
  REQUIRE(wait_until([&] { return port_of_own() != of.primary().port(); }));
  paused_replay pause(of);
  db::session visitor;

  // Drops what asks for the position, which comes behind it.
  const auto done =
      client.write(sql("do $$ declare name text; begin insert into unplaced values (2);"
                       " for name in select p.name from pg_prepared_statements p"
                       " where statement like '%pg_current_wal_flush_lsn%'"
                       " loop execute 'deallocate ' || name; end loop; end $$"),
                   {.session = visitor});
  const auto by_client = seen();
  const auto by_session = seen({.session = visitor});
  const auto placed = client.write(sql("insert into unplaced values (3)"));
  const auto later = seen({.session = visitor});
  pause.resume();
  const bool back = wait_until([&] { return port_of_own() != of.primary().port(); });

  CHECK(done.token().empty());
  CHECK(by_client == 2);
  CHECK(by_session == 2);
  CHECK(!placed.token().empty());
  CHECK(later == 3);
  CHECK(back);
}

TEST_CASE("labels choose the hosts of a read") {
  auto& of = shared_cluster();
  auto params = patient();
  params.acquire_timeout = 100ms;
  params.topology.replica_labels =
      "127.0.0.1:" + std::to_string(of.node(2).port()) + ":role=reports";
  auto client = db::client::open(of.url(), params);
  // Until it has heard of its hosts, for which the timeout may be short.
  REQUIRE(wait_until([&] {
    try {
      client.write(sql("select 1"));
      return true;
    } catch (const scalekit::error&) {
      return false;
    }
  }));

  const auto labelled = port_of_read(client, {.labels = {{"role", "reports"}}});
  const auto text = message_of(
      [&] {
        port_of_read(client, {.labels = {{"role", "nobody"}}});
      },
      errc::unavailable);

  CHECK(labelled == of.node(2).port());
  CHECK(contains(text, "role=nobody"));
}

TEST_CASE("execute sends to replicas what is known to be a read, and learns what is none") {
  auto& of = shared_cluster();
  of.primary().exec(
      "create sequence numbers;"
      "create function claims_to_read() returns bigint language plpgsql stable as"
      " 'begin return nextval(''numbers''); end'");
  of.wait_until_caught_up();
  auto client = db::client::open(of.url(), patient());
  const auto port = sql("select inet_server_port()::bigint");
  const auto liar = sql("select claims_to_read()");
  const auto port_of = [&](const db::statement& s) {
    return client.execute<std::int64_t>(s).at(0);
  };

  const bool read_elsewhere = wait_until([&] { return port_of(port) != of.primary().port(); });
  const auto asynchronous =
      client.async_execute<std::int64_t>(port, {}, boost::asio::use_future).get().at(0);
  const auto is_volatile = port_of(sql("select inet_server_port() + 0 * nextval('numbers')"));
  const auto locking = port_of(
      sql("select inet_server_port()::bigint from (select 1 from pg_class limit 1 for update) c"));
  const auto before = client.statistics().failed_statements;
  const auto first = port_of(liar);
  const auto refused = client.statistics().failed_statements - before;
  const auto second = port_of(liar);
  const auto third = client.async_execute<std::int64_t>(liar, boost::asio::use_future).get();
  const auto refused_later = client.statistics().failed_statements - before - refused;

  CHECK(read_elsewhere);
  CHECK(asynchronous != of.primary().port());
  CHECK(is_volatile == of.primary().port());
  CHECK(locking == of.primary().port());
  CHECK(second == first + 1);
  CHECK(third.at(0) == first + 2);
  CHECK(refused == 1);
  CHECK(refused_later == 0);
}

TEST_CASE(
    "execute goes to the primary with what a standby cannot do, and has no error to show for it") {
  auto& of = shared_cluster();
  for (const char* state : {"0A000", "55000"}) {
    of.primary().exec(
        "create or replace function only_on_primary() returns int language plpgsql stable as"
        " $$begin if pg_is_in_recovery() then raise exception 'not here' using errcode = '" +
        std::string(state) + "'; end if; return 7; end$$");
    of.wait_until_caught_up();
    auto client = db::client::open(of.url(), patient());
    const auto call = sql("select only_on_primary()");

    // Until the client has learnt which functions are stable it does not send it to a replica.
    CHECK(wait_until([&] {
      CHECK(client.execute<std::int32_t>(call).at(0) == 7);
      return client.statistics().failed_statements > 0;
    }));
    CHECK(client.async_execute<std::int32_t>(call, boost::asio::use_future).get().at(0) == 7);
    // A read says for itself where it is to run.
    CHECK(message_of([&] { client.read<std::int32_t>(call); }, std::string_view(state) == "0A000"
                                                                   ? errc::not_supported
                                                                   : errc::not_allowed) != "");
  }
}

TEST_CASE("calls without a thread find their hosts as well") {
  auto& of = shared_cluster();
  make_table(of, "async_calls");
  auto client = db::client::open(of.url(), patient());
  const auto count = sql("select count(*) from async_calls");
  const auto port = sql("select inet_server_port()::bigint");
  using boost::asio::use_future;

  const auto read = client.async_read<std::int64_t>(port, use_future).get().at(0);
  paused_replay pause(of);
  client.async_write(sql("insert into async_calls values (1)"), use_future).get();
  const auto own = client.async_read<int>(count, use_future).get().at(0);
  client
      .async_transaction(
          [](db::transaction& tx) { tx.write(sql("insert into async_calls values (2)")); },
          use_future)
      .get();
  const auto committed = client.async_read<int>(count, use_future).get().at(0);

  CHECK(read != of.primary().port());
  CHECK(own == 1);
  CHECK(committed == 2);
}

TEST_CASE("a replica dies and comes back while nobody notices") {
  auto& of = shared_cluster();
  auto client = db::client::open(of.url(), patient());
  std::atomic<bool> over{false};
  std::atomic<int> failures{0};
  std::vector<std::thread> readers;
  port_of_read(client);
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&] {
      while (!over) {
        try {
          port_of_read(client);
        } catch (const std::exception& e) {
          ++failures;
          MESSAGE(std::string(e.what()));
        }
      }
    });
  }
  const auto state = [&] { return client.statistics().hosts[2].state; };

  of.node(2).kill9();
  const bool gone = wait_until([&] { return contains(state(), "unreachable"); });
  of.node(2).start();
  const bool back = wait_until([&] { return contains(state(), "replica"); });
  over = true;
  for (auto& each : readers) each.join();

  CHECK(gone);
  CHECK(back);
  CHECK(failures == 0);
}

TEST_CASE("a read that loses its connections on every replica ends on the primary") {
  cluster of({.replicas = 1});
  auto client = db::client::open(of.url(), patient());
  const auto query =
      sql("select case when pg_is_in_recovery() then pg_terminate_backend(pg_backend_pid())::int"
          " else 7 end::bigint");
  const db::call_options any{.consistency = consistency::any()};
  REQUIRE(wait_until([&] { return port_of_read(client, any) == of.node(1).port(); }));

  CHECK(client.read_one<std::int64_t>(query, any) == 7);
  CHECK(client.async_read<std::int64_t>(query, any, boost::asio::use_future).get() ==
        std::vector<std::int64_t>{7});
}

TEST_CASE("the primary dies: writes go on on the promoted replica, and none is lost") {
  cluster of({.mode = replication::on, .must_confirm = 2});
  of.primary().exec("create table promoted (n bigint primary key)");
  of.wait_until_caught_up();
  event_log events;
  auto params = patient();
  params.log = events.sink();
  topology_test::promoted_writers writers(db::client::open(of.url(), params));
  REQUIRE(writers.go_on(50));

  const auto heir = topology_test::lose_primary(of);
  const bool went_on = writers.go_on(50);
  writers.stop();

  CHECK(went_on);
  std::map<std::string, std::string> fields{{"server.address", "127.0.0.1"},
                                            {"server.port", std::to_string(of.node(heir).port())}};
  REQUIRE(events.has("db.failover"));
  CHECK(events.find("db.failover")->fields == fields);
  fields["db.host.role"] = "primary";
  REQUIRE(events.has("db.host.role_changed"));
  CHECK(events.find("db.host.role_changed")->fields == fields);
  const auto kept = writers.kept();
  for (const auto n : writers.acknowledged()) CHECK(kept.contains(n));
}

TEST_CASE("of what was acknowledged and is gone with its primary a token tells") {
  cluster of({.replicas = 1});
  auto writer = db::client::open(of.url(), patient());
  writer.run_script("create table acknowledged (n bigint primary key)");
  const auto kept = writer.write(sql("insert into acknowledged values (1)")).token();
  of.wait_until_caught_up();
  of.node(1).stop();
  const auto gone = writer.write(sql("insert into acknowledged values (2)")).token();

  of.node(0).kill9();
  of.node(1).start();
  of.promote(1);
  REQUIRE(of.node(1).query_one("select max(n) from acknowledged") == "1");
  auto reader = db::client::open(of.url(), patient());
  const auto read_after = [&](db::client& by, const std::string& token) {
    return by.read_one<std::int64_t>(sql("select max(n) from acknowledged"),
                                     {.consistency = consistency::after(token)});
  };

  for (auto* by : {&reader, &writer}) {
    message_of([&] { read_after(*by, gone); }, errc::write_lost);
  }
  // One of the same timeline that came over stays good, for who has lost nothing.
  CHECK(read_after(reader, kept) == 1);
  const auto next = reader.write(sql("insert into acknowledged values (3)")).token();
  CHECK(read_after(reader, next) == 3);
  message_of([&] { read_after(reader, gone); }, errc::write_lost);
}

TEST_CASE("a listener of several hosts passes over a standby, and follows a promotion") {
  cluster of({.replicas = 1});
  std::mutex mutex;
  std::set<std::string> heard;
  std::atomic<int> resyncs{0};
  // The standby first.
  const auto url = "postgresql://postgres@127.0.0.1:" + std::to_string(of.node(1).port()) +
                   ",127.0.0.1:" + std::to_string(of.node(0).port()) + "/postgres";
  const db::listener listener(url, {.channels = {"news"},
                                    .on_notification =
                                        [&](const db::notification& n) {
                                          const std::lock_guard lock(mutex);
                                          heard.emplace(n.payload);
                                        },
                                    .on_resync = [&] { ++resyncs; },
                                    .reconnect = {.base = 10ms, .cap = 100ms}});
  const auto hears = [&](const std::string& what) {
    return wait_until([&] {
      const std::lock_guard lock(mutex);
      return heard.contains(what);
    });
  };
  REQUIRE(wait_until([&] { return resyncs == 1; }));
  of.node(0).exec("notify news, 'of the first'");
  REQUIRE(hears("of the first"));

  of.node(0).kill9();
  of.promote(1);
  REQUIRE(wait_until([&] { return resyncs == 2; }));
  of.node(1).exec("notify news, 'of the second'");

  CHECK(hears("of the second"));
}

TEST_CASE("two primaries: writes fail at once and name both; then all hosts are gone") {
  cluster of;
  event_log events;
  auto params = patient();
  params.log = events.sink();
  auto client = db::client::open(of.url(), params);
  const auto name = [&](std::size_t i) { return "127.0.0.1:" + std::to_string(of.node(i).port()); };
  const auto insert = [&] { client.write(sql("create table if not exists t (n bigint)")); };
  insert();
  of.wait_until_caught_up();

  of.primary().stop();
  of.promote(1);
  of.promote(2);
  CHECK(wait_until([&] { return events.has("db.split_brain"); }));
  const auto began = std::chrono::steady_clock::now();
  const auto text = message_of(insert, errc::unavailable);
  const auto took = std::chrono::steady_clock::now() - began;

  CHECK(contains(text, "split brain"));
  CHECK(contains(text, name(1)));
  CHECK(contains(text, name(2)));
  CHECK(took < params.acquire_timeout);

  of.node(1).stop();
  of.node(2).stop();
  params.acquire_timeout = 500ms;
  auto another = db::client::open(of.url(), params);
  const auto write_text = message_of([&] { another.write(sql("select 1")); }, errc::unavailable);
  const auto read_text = message_of([&] { port_of_read(another); }, errc::unavailable);

  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(contains(write_text, name(i) + " unreachable"));
    CHECK(contains(read_text, name(i) + " unreachable"));
  }
}
