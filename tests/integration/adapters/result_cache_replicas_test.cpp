// The result cache on a primary with replicas that lag, pause and are promoted: attempts to break
// what it promises.

#include "changing_row.hpp"
#include "integration/db/postgres_topology_fixture.hpp"
#include "result_cache_fixture.hpp"
#include "support/postgres/cluster.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace result_cache_test;
using support::postgres::cluster;

namespace {

db::client_params patient() {
  auto params = topology_test::patient();
  // Replicas stay in use however far they are behind.
  params.topology.max_replica_lag = 1h;
  return params;
}

/// A primary, node 0, two replicas, and a cache over them.
struct shop {
  explicit shop(std::chrono::nanoseconds max_staleness = 2s)
      : it((prepare(), client.emplace(db::client::open(of.url(), patient())), *client),
           cache::store::open(),
           {.listen_url = of.url(), .max_staleness = max_staleness, .timeout = 60s}) {}

  void pause() {
    of.pause_replay(1);
    of.pause_replay(2);
  }
  void resume() {
    of.resume_replay(1);
    of.resume_replay(2);
  }
  std::uint64_t reads_of_replicas() { return client->statistics().readers.acquired; }

  cluster of;
  std::optional<db::client> client;
  result_cache it;

 private:
  void prepare() {
    of.primary().exec(schema);
    auto direct = db::client::open(of.primary().url());
    adapters::install_change_triggers(direct, {"counted"});
    of.wait_until_caught_up();
  }
};

const db::call_options any{.consistency = consistency::any()};

}  // namespace

TEST_CASE("own writes are seen while no replica replays, by every kind of read") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));
  s.pause();

  for (std::int64_t i = 1; i <= 20; ++i) {
    const auto token = s.it.write(add_one_to(1), {"counted"}).token();
    CHECK(n(s.it, 1, any) == i);
    CHECK(n(s.it, 1) == i);
    CHECK(n(s.it, 1, {.consistency = consistency::after(token)}) == i);
    CHECK(s.it.async_read<std::int64_t>(of_counted, n_of(1), any, boost::asio::use_future)
              .get()
              .at(0) == i);
  }
  s.it.transaction([](db::transaction& tx) { tx.write(add_one_to(1)); }, {"counted"});
  CHECK(n(s.it, 1, any) == 21);
  const auto done = s.client->write(add_one_to(1));
  s.it.wrote({"counted"}, done);
  CHECK(n(s.it, 1, any) == 22);

  s.resume();
  CHECK(wait_until_it_serves(s.it));
  CHECK(n(s.it, 1, any) == 22);
}

TEST_CASE("a change by others that was heard is seen while no replica replays") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));
  s.pause();

  for (std::uint64_t i = 1; i <= 20; ++i) {
    s.of.primary().exec("update counted set n = n + 1 where id = 1");
    REQUIRE(wait_until([&] { return s.it.statistics().notices >= i; }));
    const auto before = s.it.statistics();
    const auto seen = n(s.it, 1, any);
    const auto after = s.it.statistics();
    // Whoever is past the cache sees what its consistency asks for, which is anything.
    if (after.hits + after.misses > before.hits + before.misses) {
      CHECK(seen == static_cast<std::int64_t>(i));
    }
  }
  CHECK(s.it.statistics().misses > 5);
  s.resume();
}

TEST_CASE("what a replica has is read from it, once it has the floor") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));
  const auto heard = [&] { return s.it.statistics().notices; };

  std::uint64_t from_replicas = 0;
  for (std::uint64_t i = 1; i <= 10; ++i) {
    s.of.primary().exec("update counted set n = n + 1 where id = 1");
    REQUIRE(wait_until([&] { return heard() == i; }));
    s.of.wait_until_caught_up();
    REQUIRE(wait_until_it_serves(s.it));
    const auto before = s.reads_of_replicas();
    // Never read before: a miss, whatever is cached.
    s.it.read<std::int64_t>(of_counted, sql("select n from counted where id = 1 and n < $1",
                                            static_cast<std::int64_t>(1000 + i)));
    from_replicas += s.reads_of_replicas() - before;
  }

  CHECK(from_replicas > 0);
}

TEST_CASE("a token of another client is honoured, heard of or not") {
  shop s;
  REQUIRE(wait_until_it_serves(s.it));
  auto other = db::client::open(s.of.primary().url());
  s.pause();

  for (std::int64_t i = 1; i <= 20; ++i) {
    db::session visitor;
    other.write(add_one_to(1), {.session = visitor});
    CHECK(n(s.it, 1, {.session = db::session(visitor.token())}) == i);
    CHECK(n(s.it, 1, {.consistency = consistency::after(visitor.token())}) == i);
  }
  s.resume();
}

TEST_CASE("replicas that lag, writers here and elsewhere, listeners that die: nobody is lied to") {
  shop s(500ms);
  REQUIRE(wait_until_it_serves(s.it));
  s.of.set_apply_delay(1, 100ms);
  s.of.set_apply_delay(2, 700ms);
  std::atomic<std::int64_t> told{0};
  std::atomic<int> missed{0};
  std::atomic<bool> is_over{false};
  changing_row elsewhere(s.it, 2, 500ms);
  // A read past the cache sees what it asks for, so the bound must be asked for too.
  const db::call_options bounded{.consistency = consistency::bounded(400ms)};

  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      while (!is_over) {
        const auto known = told.load();
        if (n(s.it, 1, t == 0 ? any : db::call_options{}) < known) ++missed;
        elsewhere.read(bounded);
      }
    });
  }
  for (int i = 1; i <= 60; ++i) {
    s.it.write(add_one_to(1), {"counted"});
    ++told;
    elsewhere.changed([&] { s.of.primary().exec("update counted set n = n + 1 where id = 2"); });
    if (i % 20 == 10) {
      s.of.primary().terminate_backends("query like 'listen %' or query = 'select 1'");
    }
    if (i % 10 == 0) elsewhere.read_until_seen(bounded);
  }
  is_over = true;
  for (auto& t : threads) t.join();

  CHECK(missed == 0);
  CHECK(elsewhere.violations() == 0);
  CHECK(n(s.it, 1, any) == 60);
  const auto stats = s.it.statistics();
  CHECK(stats.resyncs > 1);
  CHECK(stats.hits > 0);
  MESSAGE("hits ", stats.hits, ", misses ", stats.misses, ", shared ", stats.shared, ", deaf ",
          stats.bypassed_deaf, ", ahead ", stats.bypassed_ahead, ", not kept ",
          stats.not_kept_changed, ", notices ", stats.notices, ", probes ", stats.probes);
}

TEST_CASE("a replica is promoted: own writes are seen, and it serves again") {
  shop s(500ms);
  REQUIRE(wait_until_it_serves(s.it));
  s.it.write(add_one_to(1), {"counted"});
  s.of.wait_until_caught_up();

  s.of.primary().stop(support::postgres::stop_mode::immediate);
  s.of.promote(1);
  s.of.follow_primary(2);

  CHECK(wait_until([&] {
    try {
      s.it.write(add_one_to(1), {"counted"});
      return true;
    } catch (const scalekit::error&) {
      return false;
    }
  }));
  const auto written = s.of.primary().query_one("select n from counted where id = 1");
  CHECK(std::to_string(n(s.it, 1, any)) == written);
  CHECK(std::to_string(n(s.it, 1)) == written);
  CHECK(wait_until_it_serves(s.it));
  s.of.primary().exec("update counted set n = 100 where id = 1");
  CHECK(wait_until([&] { return n(s.it, 1) == 100; }));
  CHECK(wait_until_it_serves(s.it));
}

TEST_CASE("an acknowledged write is lost in a promotion: it is told once, and the cache goes on") {
  shop s(500ms);
  REQUIRE(wait_until_it_serves(s.it));
  s.it.write(add_one_to(1), {"counted"});
  s.of.wait_until_caught_up();
  // What the primary commits from now on reaches nobody.
  s.of.node(1).follow("host=127.0.0.1 port=1 user=postgres");
  s.of.node(2).follow("host=127.0.0.1 port=1 user=postgres");
  REQUIRE(s.of.primary().wait_for("select count(*) from pg_stat_replication", "0"));
  s.it.write(add_one_to(1), {"counted"});
  CHECK(n(s.it, 1) == 2);

  s.of.primary().stop(support::postgres::stop_mode::immediate);
  s.of.promote(1);
  s.of.follow_primary(2);

  int lost = 0;
  CHECK(wait_until([&] {
    try {
      return n(s.it, 1) == 1;
    } catch (const scalekit::error& e) {
      if (e.code() == errc::write_lost) ++lost;
      return false;
    }
  }));
  CHECK(lost <= 1);
  CHECK(wait_until_it_serves(s.it));
  CHECK(n(s.it, 1) == 1);
  s.it.write(add_one_to(1), {"counted"});
  CHECK(n(s.it, 1) == 2);
}
