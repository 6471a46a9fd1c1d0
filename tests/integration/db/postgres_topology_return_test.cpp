// Servers that come back as something less than they were, before anybody has asked.

#include "postgres_topology_fixture.hpp"
#include "scalekit/db.hpp"
#include "support/postgres/cluster.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <chrono>
#include <future>
#include <optional>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using db::consistency;
using db::sql;
using support::wait_until;
using support::postgres::cluster;
using topology_test::make_table;
using topology_test::patient;
using topology_test::port_of_read;

namespace {

db::client_params with_a_monitor_that_looks_away() {
  auto params = patient();
  params.topology.monitor_interval = 10s;
  params.topology.evidence_lease = 30s;
  return params;
}

const auto rows_of_moved = sql("select count(*) from moved");
const auto rows_of_behind = sql("select count(*) from behind");

enum class reads { apart, shared };

/// Until it shares a connection with others.
void share(db::client& client, const db::statement& read, const db::call_options& options) {
  REQUIRE(wait_until([&] {
    client.async_read<int>(read, options, boost::asio::use_future).get();
    return client.statistics().shared_reads > 0;
  }));
}

void check_many_see_both_rows(db::client& client, const db::statement& read,
                              const db::call_options& options) {
  std::vector<std::future<std::vector<int>>> seen;
  for (int i = 0; i < 10; ++i) {
    seen.push_back(client.async_read<int>(read, options, boost::asio::use_future));
  }
  for (auto& each : seen) CHECK(each.get().at(0) == 2);
}

/// What was the primary follows its successor, and is behind it, while the monitor looks away.
struct changed_places {
  explicit changed_places(reads how = reads::apart) {
    make_table(of, "moved");
    client.emplace(db::client::open(of.url(), with_a_monitor_that_looks_away()));
    client->write(sql("insert into moved values (1)"));
    if (how == reads::shared) share(*client, rows_of_moved, primary);
    of.wait_until_caught_up();
    of.node(0).stop();
    of.promote(1);
    of.rebuild(0);
    of.pause_replay(0);
    of.primary().exec("insert into moved values (2)");
  }

  cluster of{{.replicas = 1}};
  std::optional<db::client> client;
  const db::call_options primary{.consistency = consistency::primary()};
};

/// A replica that is known to have a write crashes, and opens where it last was on disk.
struct restarted_behind {
  explicit restarted_behind(reads how = reads::apart) {
    make_table(of, "behind");
    of.primary().exec("insert into behind values (1)");
    of.primary().exec("checkpoint");
    of.wait_until_caught_up();
    of.node(1).exec("checkpoint");
    auto params = with_a_monitor_that_looks_away();
    params.pool = {.min = 0, .idle_timeout = 50ms, .reap_interval = 10ms};
    client.emplace(db::client::open(of.url(), params));
    const auto token = client->write(sql("insert into behind values (2)")).token();
    needed = {.consistency = consistency::after(token)};
    of.wait_until_caught_up();
    REQUIRE(port_of_read(*client, needed) == of.node(1).port());
    if (how == reads::shared) share(*client, rows_of_behind, needed);
    // No connection tells of the crash.
    REQUIRE(wait_until([&] { return client->statistics().readers.idle == 0; }));
    of.node(1).kill9();
    of.node(1).configure({{"recovery_min_apply_delay", "1h"}});
    of.node(1).start();
    REQUIRE(of.node(1).query_one("select count(*) from behind") == "1");
  }

  cluster of{{.replicas = 1}};
  std::optional<db::client> client;
  db::call_options needed;
};

}  // namespace

TEST_CASE("a read of the primary does not run on what is a standby by now") {
  changed_places c;

  CHECK(c.client->read_one<int>(rows_of_moved, c.primary) == 2);
}

TEST_CASE("neither does one without a thread that waits") {
  changed_places c;

  auto seen = c.client->async_read<int>(rows_of_moved, c.primary, boost::asio::use_future);

  CHECK(seen.get().at(0) == 2);
}

TEST_CASE("neither does a transaction that only reads") {
  changed_places c;

  const auto seen =
      c.client->transaction([](db::transaction& tx) { return tx.read_one<int>(rows_of_moved); },
                            {.consistency = consistency::primary(), .read_only = true});

  CHECK(seen == 2);
}

TEST_CASE("neither do reads that share a connection") {
  changed_places c(reads::shared);

  check_many_see_both_rows(*c.client, rows_of_moved, c.primary);
}

TEST_CASE("a read after a token does not run on a replica that has restarted behind it") {
  restarted_behind c;

  CHECK(c.client->read_one<int>(rows_of_behind, c.needed) == 2);
}

TEST_CASE("neither does such a read without a thread that waits") {
  restarted_behind c;

  auto seen = c.client->async_read<int>(rows_of_behind, c.needed, boost::asio::use_future);

  CHECK(seen.get().at(0) == 2);
}

TEST_CASE("neither does such a transaction") {
  restarted_behind c;

  const auto seen =
      c.client->transaction([](db::transaction& tx) { return tx.read_one<int>(rows_of_behind); },
                            {.consistency = c.needed.consistency, .read_only = true});

  CHECK(seen == 2);
}

TEST_CASE("neither do such reads that share a connection") {
  restarted_behind c(reads::shared);

  check_many_see_both_rows(*c.client, rows_of_behind, c.needed);
}

TEST_CASE("such a read finds its replica while the pool is still being filled") {
  auto& of = topology_test::shared_cluster();
  make_table(of, "filling");
  for (int i = 0; i < 5; ++i) {
    auto client = db::client::open(of.url(), with_a_monitor_that_looks_away());
    const auto token = client.write(sql("insert into filling values ($1)", i)).token();
    of.wait_until_caught_up();
    const db::call_options needed{.consistency = consistency::after(token)};
    std::vector<std::future<std::vector<int>>> seen;
    for (int j = 0; j < 40; ++j) {
      seen.push_back(client.async_read<int>(sql("select count(*) from filling"), needed,
                                            boost::asio::use_future));
      CHECK(client.read_one<int>(sql("select count(*) from filling"), needed) == i + 1);
    }
    for (auto& each : seen) CHECK(each.get().at(0) == i + 1);
  }
}
