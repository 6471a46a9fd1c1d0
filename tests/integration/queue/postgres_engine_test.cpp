// What only a database with several writers at a time can get wrong.

#include "integration/queue/postgres_test_database.hpp"
#include "queue/disposition.hpp"
#include "queue/engine.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db.hpp"
#include "scalekit/queue.hpp"
#include "support/tcp_proxy.hpp"
#include "support/throws_errc.hpp"
#include "support/wait_until.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace scalekit;
using namespace scalekit::queue::detail;
using namespace std::chrono_literals;
using db::sql;
using queue::job_id;
using queue::lease;

namespace {

const wall_time start = from_micros(1'750'000'000'000'000);
const std::string queue_name = "default";
const std::vector<std::string> kinds{"a", "b", "work"};

struct jobs_table {
  postgres_test_database database;
  db::client client = db::client::open(database.url());
  std::unique_ptr<engine> store = make_engine(client, "sk_", 5s);
  worker_identity worker;

  jobs_table() {
    store->migrate();
    worker = store->enlist(1, 10s, start);
  }

  std::vector<job_id> add(std::size_t count, const std::string& kind = "work",
                          std::int64_t first_key = 0) {
    std::vector<new_job> jobs;
    for (std::size_t i = 0; i < count; ++i) {
      jobs.push_back({.queue = queue_name,
                      .kind = kind,
                      .payload = "payload",
                      .key = first_key + static_cast<std::int64_t>(i),
                      .max_attempts = 3,
                      .enqueued_at = start});
    }
    return store->enqueue(nullptr, jobs);
  }

  turn_request claiming(std::size_t most) const {
    return {.who = worker, .claim = most, .queues = {&queue_name, 1}, .kinds = kinds, .now = start};
  }
  std::vector<job_id> claim(std::size_t most) {
    std::vector<job_id> ids;
    for (const auto& c : store->turn(claiming(most)).claimed) ids.push_back(c.held.job);
    return ids;
  }
};

std::vector<job_id> part(const std::vector<job_id>& ids, std::size_t from, std::size_t count) {
  const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(from);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

TEST_CASE("jobs that another is about to claim do not make a claim smaller") {
  jobs_table t;
  const auto ids = t.add(1000);
  auto other = t.client.begin();
  other.read<job_id>(sql("select id from sk_ready order by key, id limit 700 for update"));

  const auto claimed = t.claim(50);
  other.commit();

  CHECK(claimed == part(ids, 700, 50));
  CHECK(t.claim(20) == part(ids, 0, 20));
}

TEST_CASE("a claim locks nothing that it does not take") {
  jobs_table t;
  t.add(100, "a", 0);
  t.add(100, "b", 1000);
  t.add(100, "work", 2000);
  // Keeps the commit of a turn open, with all its locks.
  t.client.run_script(
      "create function wait_at_commit() returns trigger language plpgsql as "
      "$$ begin perform pg_advisory_xact_lock(1); return null; end $$;"
      "create constraint trigger wait after insert on sk_lease deferrable initially deferred "
      "for each row execute function wait_at_commit()");
  auto door = t.client.begin();
  door.lock(1);
  auto claimed = std::async(std::launch::async, [&] { return t.claim(10); });
  REQUIRE(t.database.server().wait_for(
      "select count(*) > 0 from pg_locks where locktype = 'advisory' and not granted", "t"));

  const auto free = t.client.begin().read<job_id>(
      sql("select id from sk_ready order by key, id for update skip locked"));
  door.commit();

  CHECK(claimed.get().size() == 10);
  CHECK(free.size() == 290);
}

TEST_CASE("due jobs that another moves along are left to it") {
  jobs_table t;
  const auto run_at = start - 1s;
  for (int i = 0; i < 10; ++i) {
    const new_job j{
        .queue = queue_name, .kind = "work", .payload = "", .enqueued_at = start, .run_at = run_at};
    t.store->enqueue(nullptr, {&j, 1});
  }
  auto other = t.client.begin();
  other.read<job_id>(sql("select id from sk_later order by id limit 4 for update"));

  CHECK(t.claim(100).size() == 6);
  other.commit();
  CHECK(t.claim(100).size() == 4);
}

TEST_CASE("one worker in the middle of a turn is not struck off, and nobody waits for it") {
  jobs_table t;
  const auto sighted = t.store->workers().at(0);
  auto turn = t.client.begin();
  turn.read<int>(sql("select 1 from sk_worker for key share"));

  CHECK(t.store->beat(t.worker, start));
  CHECK_FALSE(t.store->evict(t.store->workers().at(0)));
  turn.commit();

  CHECK_FALSE(t.store->evict(sighted));
  CHECK(t.store->evict(t.store->workers().at(0)));
}

TEST_CASE("a job that a dead worker's handler is about to finish is left to it") {
  jobs_table t;
  t.add(2);
  const auto held = t.store->turn(t.claiming(2)).claimed;
  auto handler = t.client.begin();
  REQUIRE(t.store->complete_in(handler, held.at(0).held));
  t.store->evict(t.store->workers().at(0));

  const auto orphans = t.store->orphans(10);
  REQUIRE(orphans.size() == 1);
  CHECK(orphans[0].held == held[1].held);
  handler.commit();
  CHECK(t.store->orphans(10).size() == 1);
}

TEST_CASE("two that settle the same jobs in opposite orders do not stop each other") {
  jobs_table t;
  auto other_client = db::client::open(t.database.url());
  auto other = make_engine(other_client, "sk_", 5s);
  for (int round = 0; round < 20; ++round) {
    t.add(100);
    std::vector<settlement> forward;
    for (const auto& c : t.store->turn(t.claiming(100)).claimed) {
      forward.push_back({.held = c.held, .to = settlement::fate::dead, .at = start});
    }
    std::vector<settlement> backward(forward.rbegin(), forward.rend());
    auto theirs =
        std::async(std::launch::async, [&] { return other->turn({.settle = backward}).settled; });
    const auto ours = t.store->turn({.settle = forward}).settled;
    const auto others = theirs.get();

    const auto settled =
        std::count(ours.begin(), ours.end(), true) + std::count(others.begin(), others.end(), true);
    CHECK(settled == 100);
  }
  CHECK(t.store->stats(start).dead == 2000);
}

TEST_CASE("processes that start at the same time create the tables once") {
  const postgres_test_database database;
  std::vector<std::future<void>> started;
  for (int i = 0; i < 8; ++i) {
    started.push_back(std::async(std::launch::async, [&] {
      auto client = db::client::open(database.url());
      queue::queue(client).migrate();
    }));
  }
  for (auto& each : started) CHECK_NOTHROW(each.get());

  auto client = db::client::open(database.url());
  CHECK(client.read_one<int>(sql("select steps from scalekit_schema")) == 1);
}

TEST_CASE("a plan that was made for empty tables reads no whole table when they are full") {
  jobs_table t;
  // Plans are kept from the sixth run on.
  for (int i = 0; i < 20; ++i) t.claim(1);
  t.client.write(sql(
      "with j as (insert into sk_job select id, 'default', 'work', 0, id, 3, 0, '' from "
      "generate_series(1, 20000) id returning id) insert into sk_ready select 'default', 'work', "
      "id, id from j"));
  t.client.run_script("select pg_stat_reset()");

  for (int i = 0; i < 20; ++i) {
    std::vector<settlement> ended;
    for (const auto& c : t.store->turn(t.claiming(10)).claimed) ended.push_back({.held = c.held});
    REQUIRE(ended.size() == 10);
    t.store->turn({.settle = ended});
  }

  t.client.close();
  const auto& server = t.database.server();
  const auto counted = [&](const std::string& what, const std::string& table) {
    return std::stoll(server.query_one(
        "select " + what + " from pg_stat_user_tables where relname = '" + table + "'",
        t.database.name()));
  };
  REQUIRE(support::wait_until([&] { return counted("n_tup_del", "sk_job") == 200; }));
  CHECK(counted("idx_tup_fetch", "sk_ready") > 0);
  CHECK(counted("seq_tup_read", "sk_ready") == 0);
  CHECK(counted("seq_tup_read", "sk_job") == 0);
}

TEST_CASE("a reason that is no UTF-8 can be recorded") {
  jobs_table t;
  t.add(1);
  const auto held = t.store->turn(t.claiming(1)).claimed.at(0).held;
  const settlement s{.held = held,
                     .to = settlement::fate::dead,
                     .at = start,
                     .reason = clean_reason("caf\xe9: \xff\xfe refused")};

  CHECK(t.store->turn({.settle = {&s, 1}}).settled.front());
  CHECK(t.store->dead_letters(1, 0).at(0).reason == "caf?: ?? refused");
}

TEST_CASE("jobs of a claim whose commit is in doubt are not lost, whatever became of it") {
  jobs_table t;
  const auto id = t.add(1).front();
  support::tcp_proxy proxy(t.database.server().port());
  auto far = db::client::open("postgresql://postgres@127.0.0.1:" + std::to_string(proxy.port()) +
                              "/" + t.database.name());
  auto store = make_engine(far, "sk_", 1s);
  // A commit that can be waited for: everything before it has been answered.
  t.client.run_script(
      "create function wait_at_commit() returns trigger language plpgsql as "
      "$$ begin perform pg_advisory_xact_lock(1); return null; end $$;"
      "create constraint trigger wait after insert on sk_lease deferrable initially deferred "
      "for each row execute function wait_at_commit()");
  auto door = t.client.begin();
  door.lock(1);
  auto turn = std::async(std::launch::async, [&] { return store->turn(t.claiming(1)); });
  REQUIRE(t.database.server().wait_for(
      "select count(*) > 0 from pg_locks where locktype = 'advisory' and not granted", "t"));

  proxy.set_to_client({.swallow = true});
  proxy.set_accepting(support::accept_mode::refuse);
  door.commit();
  CHECK(support::error_of([&] { turn.get(); }).code() == errc::commit_in_doubt);
  CHECK(t.store->stats(start).running == 1);

  proxy.cut_all_and_heal();
  std::vector<claimed_job> again;
  CHECK(support::wait_until([&] {
    try {
      again = store->turn(t.claiming(1)).claimed;
    } catch (const error&) {
      // Not connected yet.
    }
    return !again.empty();
  }));
  CHECK(again.at(0).held.job == id);
  CHECK(again.at(0).past == job_history{});
}
