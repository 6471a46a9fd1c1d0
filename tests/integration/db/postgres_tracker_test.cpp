// What the tracker is told of a call's time: the wait, the server's work, the fetching. Bounds come
// from what happens before what, not from how long things take.

#include "held_call.hpp"
#include "postgres_topology_fixture.hpp"
#include "scalekit/db.hpp"
#include "scalekit/slow/tracker.hpp"
#include "support/postgres/cluster.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <boost/asio/use_future.hpp>
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

using namespace std::chrono_literals;
using namespace scalekit;
using boost::asio::use_future;
using db::sql;
using std::chrono::nanoseconds;
using std::chrono::steady_clock;
using support::wait_until;
using topology_test::shared_cluster;
using tracker_test::pass_time;

namespace {

/// Of one server, with a pool of one connection and a tracker.
struct tracked_client : tracker_test::held_call {
  std::string name = [] {
    static std::atomic<int> next{0};
    return "tracked_" + std::to_string(next++);
  }();
  std::shared_ptr<slow::tracker> tracker = std::make_shared<slow::tracker>();
  db::client client;
  std::optional<db::transaction> holder;

  tracked_client() : client(open(name, tracker)) {}

  static db::client open(const std::string& name, std::shared_ptr<slow::tracker> tracker) {
    auto& server = shared_cluster().primary();
    server.create_database(name);
    server.exec("create table item (id int primary key); insert into item values (1)", name);
    db::client_params params{.statement_timeout = 60s,
                             .acquire_timeout = 60s,
                             .transaction_timeout = 60s,
                             .pool = {.min = 0, .max = 1, .shed_target = 0s},
                             .lanes = 1};
    params.tracker = std::move(tracker);
    return db::client::open(server.socket_url(name), params);
  }

  void exec(const std::string& text) const { shared_cluster().primary().exec(text, name); }

  /// Starts what `call` starts while somebody holds the connection, which is given back once the
  /// call waits for it; returns what it comes to.
  template <class Call>
  auto behind_a_holder(Call call) {
    holder = client.begin();
    auto end = call();
    if (!wait_until([&] { return client.statistics().writer.waiting == 1; })) {
      throw std::runtime_error("it does not wait for a connection");
    }
    asked_before = steady_clock::now();
    pass_time();
    released = steady_clock::now();
    holder->rollback();
    holder.reset();
    end.wait();
    done = steady_clock::now();
    return end.get();
  }

  slow::statement_report report(const std::string& beginning) const {
    auto told = tracker_test::report_of(*tracker, beginning);
    if (!told) throw std::runtime_error("nothing was told of " + beginning);
    return *std::move(told);
  }
};

/// Reads until it shares a connection.
bool warm_up(db::client& client, const db::statement& query) {
  return wait_until([&] {
    client.async_read<int>(query, use_future).get();
    return client.statistics().shared_reads > 0;
  });
}

}  // namespace

TEST_CASE("a read on a connection of its own tells its wait for it, the server's work, its fetch") {
  tracked_client t;

  const auto slept = t.behind_a_holder([&] {
    return t.client.async_read<std::string>(sql("select 'x' || pg_sleep(0.05)"), use_future);
  });

  CHECK(slept.size() == 1);
  const auto told = t.report("select ? || pg_sleep");
  t.check_waited(told);
  CHECK(told.execute >= 50ms);
}

TEST_CASE("so does one of a caller that blocks") {
  tracked_client t;

  t.behind_a_holder([&] {
    return std::async(std::launch::async,
                      [&] { return t.client.read<int>(sql("select id from item")); });
  });

  t.check_waited(t.report("select id from item"));
}

TEST_CASE("so do writes, those that return rows, and what may be either") {
  tracked_client t;

  t.behind_a_holder([&] {
    return t.client.async_write(sql("update item set id = 7 where id = 99"), use_future);
  });
  t.check_waited(t.report("update item"));
  t.behind_a_holder([&] {
    return t.client.async_write_returning<int>(sql("insert into item values (2) returning id"),
                                               use_future);
  });
  t.check_waited(t.report("insert into item values"));
  CHECK(t.report("insert into item values").rows == 1);
  t.behind_a_holder(
      [&] { return t.client.async_execute(sql("delete from item where id = 2"), use_future); });
  t.check_waited(t.report("delete from item"));
  t.behind_a_holder([&] {
    return std::async(std::launch::async,
                      [&] { return t.client.write(sql("insert into item select 3")); });
  });
  t.check_waited(t.report("insert into item select"));
}

TEST_CASE("a read that shares a connection tells how long it waited for that") {
  tracked_client t;
  const auto query = sql("select id from item where id = $1", 1);
  REQUIRE(warm_up(t.client, query));
  t.tracker->reset();
  const auto shared = t.client.statistics().shared_reads;

  t.behind_a_holder([&] { return t.client.async_read<int>(query, use_future); });

  CHECK(t.client.statistics().shared_reads == shared + 1);
  const auto told = t.report("select id from item where id = ?");
  CHECK(told.calls == 1);
  t.check_waited(told);
}

TEST_CASE("what the server does for a read that shares a connection is no wait for it") {
  tracked_client t;
  const auto query = sql("select id from item where id = $1", 1);
  REQUIRE(warm_up(t.client, query));
  t.tracker->reset();
  auto locker = db::client::open(shared_cluster().primary().socket_url(t.name));
  auto lock = locker.begin();
  lock.run_script("lock table item in access exclusive mode");

  const auto begun = steady_clock::now();
  auto end = t.client.async_read<int>(query, use_future);
  REQUIRE(shared_cluster().primary().wait_for(
      "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = '" +
          t.name + "'",
      "1"));
  const auto waits = steady_clock::now();
  pass_time();
  const auto freed = steady_clock::now();
  lock.rollback();
  end.get();

  const auto told = t.report("select id from item where id = ?");
  CHECK(told.execute >= freed - waits);
  CHECK(told.wait <= waits - begun);
}

TEST_CASE("a read that gets no connection to share has only waited") {
  tracked_client t;
  const auto query = sql("select id from item where id = $1", 1);
  REQUIRE(warm_up(t.client, query));
  t.tracker->reset();
  const auto holder = t.client.begin();

  CHECK_ERRC(t.client.async_read<int>(query, {.timeout = 30ms}, use_future).get(),
             errc::acquire_timeout);

  const auto told = t.report("select id from item where id = ?");
  CHECK(told.timeouts == 1);
  CHECK(told.wait >= 30ms);
  CHECK(told.execute == 0ns);
}

TEST_CASE("the statements of a batch share its wait") {
  tracked_client t;
  db::batch batch;
  batch.write(sql("insert into item values ($1)", 2));
  batch.write(sql("delete from item where id = $1", 3));

  t.behind_a_holder([&] {
    return std::async(std::launch::async, [&] {
      t.client.run(batch);
      return true;
    });
  });

  const auto first = t.report("insert into item"), second = t.report("delete from item");
  // What cannot be divided by two is lost.
  CHECK(first.wait + second.wait + 2ns >= t.released - t.asked_before);
  CHECK(first.execute + second.execute <= t.done - t.released);
  CHECK(first.execute > 0ns);
}

TEST_CASE("a stream tells when its first row was there, and how long the rest was dealt with") {
  tracked_client t;
  steady_clock::time_point first{}, last{};
  const auto query = sql("select id, 'x' || pg_sleep(0.05) from generate_series(1, 2) id");

  const auto begun = steady_clock::now();
  t.client.read_each<std::tuple<int, std::string>>(query, [&](const auto&) {
    last = steady_clock::now();
    if (first == steady_clock::time_point{}) first = last;
  });

  const auto told = t.report("select id, ? || pg_sleep");
  CHECK(told.execute >= 50ms);
  CHECK(told.wait + told.execute <= first - begun);
  CHECK(told.fetch >= last - first);
}

TEST_CASE("rows that go by COPY are one statement, with its wait, its time and their number") {
  tracked_client t;
  std::vector<std::tuple<int>> rows;
  for (int i = 1000; i < 1200; ++i) rows.emplace_back(i);

  const auto copied = t.behind_a_holder([&] {
    return std::async(std::launch::async, [&] {
      return t.client.insert_many({"item", {"id"}}, rows);
    });
  });

  CHECK(copied == 200);
  const auto told = t.report("copy ");
  CHECK(told.calls == 1);
  CHECK(told.rows == 200);
  t.check_waited(told);
}

TEST_CASE("rows that COPY cannot take are told as an error of it") {
  tracked_client t;
  const std::vector<std::tuple<int>> same(200);

  CHECK_ERRC(t.client.insert_many({"item", {"id"}}, same), errc::constraint_violation);

  CHECK(t.report("copy ").errors == 1);
}

TEST_CASE("what is copied out is fetched from its first piece on") {
  tracked_client t;
  steady_clock::time_point first{}, last{};

  const auto begun = steady_clock::now();
  t.client.copy_out(sql("copy (select id, pg_sleep(0.05) from generate_series(1, 2) id) to stdout"),
                    [&](std::string_view) {
                      last = steady_clock::now();
                      if (first == steady_clock::time_point{}) first = last;
                    });

  const auto told = t.report("copy ");
  CHECK(told.rows == 2);
  CHECK(told.execute >= 50ms);
  CHECK(told.execute <= first - begun);
  CHECK(told.fetch >= last - first);
}

TEST_CASE("the wait for a transaction's connection is that of its first statement") {
  tracked_client t;
  const auto body = [](db::transaction& tx) {
    tx.read<int>(sql("select id as first from item"));
    tx.read<int>(sql("select id as second from item"));
    return 1;
  };

  SUBCASE("blocking") {
    t.behind_a_holder(
        [&] { return std::async(std::launch::async, [&] { return t.client.transaction(body); }); });
  }
  SUBCASE("without a thread of its caller's") {
    t.behind_a_holder([&] { return t.client.async_transaction(body, use_future); });
  }

  t.check_waited(t.report("select id as first"));
  CHECK(t.report("select id as second").wait == 0ns);
}

namespace {

/// Replicas that stay where they are while it lives.
class paused_replicas {
 public:
  paused_replicas() {
    for (std::size_t i : {1U, 2U}) shared_cluster().pause_replay(i);
  }
  ~paused_replicas() { resume(); }
  paused_replicas(const paused_replicas&) = delete;
  paused_replicas& operator=(const paused_replicas&) = delete;

  void resume() {
    if (std::exchange(over_, true)) return;
    for (std::size_t i : {1U, 2U}) shared_cluster().resume_replay(i);
  }

 private:
  bool over_ = false;
};

}  // namespace

TEST_CASE("the wait for a replica that is to catch up is a wait") {
  auto& of = shared_cluster();
  topology_test::make_table(of, "behind");
  const auto tracker = std::make_shared<slow::tracker>();
  auto params = topology_test::patient();
  params.tracker = tracker;
  params.topology.catch_up_wait = 400ms;
  auto client = db::client::open(of.url(), params);
  const auto query = sql("select n from behind");
  client.read<std::int64_t>(query);
  tracker->reset();
  paused_replicas paused;
  const auto token = client.write(sql("insert into behind values (1)")).token();
  std::vector<std::int64_t> seen;

  const auto begun = steady_clock::now();
  SUBCASE("blocking") {
    seen = client.read<std::int64_t>(query, {.consistency = db::consistency::after(token)});
  }
  SUBCASE("without a thread") {
    seen = client
               .async_read<std::int64_t>(query, {.consistency = db::consistency::after(token)},
                                         use_future)
               .get();
  }
  const auto done = steady_clock::now();

  CHECK(seen == std::vector<std::int64_t>{1});
  std::optional<slow::statement_report> told;
  for (auto& each : tracker->top(100, slow::top_by::calls)) {
    if (each.text == "select n from behind") told = each;
  }
  REQUIRE(told);
  CHECK(told->calls == 1);
  // It ends where the next question to the replica would come too late.
  CHECK(told->wait >= 200ms);
  CHECK(told->execute > 0ns);
  CHECK(told->execute + told->fetch <= done - begun - 200ms);
  paused.resume();
  of.primary().exec("drop table behind");
}
