// Reads that share connections, with several hosts: a primary and streaming replicas.

#include "crowd.hpp"
#include "postgres_faults_loop.hpp"
#include "postgres_topology_fixture.hpp"
#include "scalekit/db.hpp"
#include "support/postgres/cluster.hpp"
#include "support/sanitizer.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using db::sql;
using db_test::crowd;
using support::wait_until;
using support::postgres::cluster;
using topology_test::patient;

namespace {

/// What readers that always ask for the newest number have seen.
struct counts {
  std::atomic<std::int64_t> acknowledged{0}, stale{0}, failed{0}, done{0};

  template <class Read>
  void check(Read read) {
    const auto at_least = acknowledged.load();
    try {
      if (read() < at_least) ++stale;
      ++done;
    } catch (const std::exception& e) {
      ++failed;
      MESSAGE(std::string(e.what()));
    }
  }
};

/// Reads in lanes on each replica in turn, while it is killed and comes back: nothing fails, and
/// every read sees what was written before it.
template <class Read>
void kill_replicas_under(cluster& of, db::client& client, const char* table, int threads,
                         Read read) {
  counts seen;
  crowd readers(threads, [&] { seen.check(read); });
  crowd writer(1, [&] {
    const auto n = seen.acknowledged + 1;
    client.write(db::unsafe_sql("update " + std::string(table) + " set n = $1", n));
    seen.acknowledged = n;
  });
  REQUIRE(wait_until([&] { return client.statistics().shared_reads > 200; }));

  for (std::size_t i : {1U, 2U}) {
    of.node(i).kill9();
    const auto before = seen.done.load();
    CHECK(wait_until([&] { return seen.done > before + 50; }));
    // A read outlives one loss: those that had theirs are not to meet the next replica's end.
    CHECK(readers.wait_for_those_under_way());
    of.node(i).start();
    of.wait_until_caught_up(i);
    CHECK(wait_until([&] {
      return client.statistics().hosts[i].state.find("unreachable") == std::string::npos;
    }));
  }
  const auto shared = client.statistics().shared_reads;
  CHECK(wait_until([&] { return client.statistics().shared_reads > shared + 200; }));
  writer.leave();
  readers.leave();

  CHECK(seen.stale == 0);
  CHECK(seen.failed == 0);
}

}  // namespace

TEST_CASE("reads that share connections go to replicas, and none is stale or lost with one") {
  cluster of;
  of.primary().exec("create table newest as select 0::bigint as n");
  of.wait_until_caught_up();
  auto params = patient();
  // A machine that is slow is not what this is about.
  params.pool.shed_target = 0s;
  params.lane_latency = 10s;
  auto client = db::client::open(of.url(), params);
  const auto query = sql("select n from newest");
  REQUIRE(wait_until([&] {
    client.async_read<std::int64_t>(query, boost::asio::use_future).get();
    return client.statistics().shared_reads > 0;
  }));

  SUBCASE("blocking") {
    // More than have a connection of their own.
    kill_replicas_under(of, client, "newest", support::under_sanitizer ? 9 : 16,
                        [&] { return client.read_one<std::int64_t>(query); });
  }
  SUBCASE("without a thread each") {
    kill_replicas_under(of, client, "newest", 2, [&] {
      std::vector<std::future<std::vector<std::int64_t>>> wave;
      for (int i = 0; i < (support::under_sanitizer ? 8 : 64); ++i) {
        wave.push_back(client.async_read<std::int64_t>(query, boost::asio::use_future));
      }
      // The oldest of them: each has to see what was written before it began.
      auto least = INT64_MAX;
      for (auto& each : wave) least = std::min(least, each.get().at(0));
      return least;
    });
  }
  const auto hosts = client.statistics().hosts;
  CHECK(hosts[1].pool.acquired > 0);
  CHECK(hosts[2].pool.acquired > 0);
}

TEST_CASE("reads of a group that a replica ended for its replay run once more, each by itself") {
  cluster of({.replicas = 1, .server = {.more = {{"max_standby_streaming_delay", "0"}}}});
  of.primary().exec(
      "create table item as select generate_series(0, 99) as id;"
      "create table other as select generate_series(0, 99) as id; create table flushed (n int)");
  of.wait_until_caught_up();
  faults::loop l;
  auto params = patient();
  params.lanes = 1;
  params.lane_latency = 10s;
  params.pool.shed_target = 0s;
  auto client = db::client::open(of.url(), params, l.execution());
  const auto item = [](int id) { return sql("select id from item where id = $1", id); };
  const auto other = [](int id) { return sql("select id from other where id = $1", id); };
  REQUIRE(faults::warm_up<std::int32_t>(client, item(1)));
  REQUIRE(faults::warm_up<std::int32_t>(client, other(1)));
  auto& replica = of.node(1);
  const auto conflicts = [&] {
    return std::stoi(replica.query_one(
        "select confl_lock from pg_stat_database_conflicts where datname = current_database()"));
  };
  auto locker = db::client::open(of.primary().socket_url(), patient());
  const auto lock = [&](db::transaction& tx, const char* table) {
    tx.run_script("lock table " + std::string(table) + " in access exclusive mode");
    // A commit takes the lock's record to the replica.
    of.primary().exec("insert into flushed values (1)");
  };

  // A lane that sees its group wait may be quicker to end it than the replica.
  for (int round = 0; round < 20 && conflicts() == 0; ++round) {
    auto tx = locker.begin();
    lock(tx, "item");
    REQUIRE(
        replica.wait_for("select count(*) from pg_locks where mode = 'AccessExclusiveLock'"
                         " and relation = (select oid from pg_class where relname = 'item')",
                         "1"));
    auto reads = l.read_together<std::int32_t>(client, 2,
                                               [&](int i) { return i == 0 ? other(5) : item(6); });
    replica.wait_for("select count(*) from pg_stat_activity where wait_event_type = 'Lock'", "1");
    lock(tx, "other");
    tx.commit();
    CHECK(reads[0].get() == std::vector<std::int32_t>{5});
    CHECK(reads[1].get() == std::vector<std::int32_t>{6});
    of.wait_until_caught_up();
  }
  CHECK(conflicts() > 0);
}
