// A worker and the jobs it runs: outcomes, retries, dead letters, leases.

#include "integration/queue/worker_fixture.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>

using namespace scalekit;
using namespace std::chrono_literals;
namespace q = scalekit::queue;

TEST_CASE("a worker runs what is enqueued, before and after it was started") {
  worker_fixture f;
  journal seen;
  const auto first = f.jobs.enqueue("greet", "one");
  q::worker w(f.jobs, f.quick());
  w.on("greet", [&](q::attempt& a) {
    seen.add(std::to_string(a.id()) + std::string(a.payload()) + std::to_string(a.number()));
  });

  w.start();
  REQUIRE(eventually([&] { return f.jobs.status(first)->state == q::job_state::finished; }));
  const auto second = f.jobs.enqueue("greet", "two");
  REQUIRE(eventually([&] { return f.jobs.status(second)->state == q::job_state::finished; }));

  CHECK(seen.entries() ==
        std::vector<std::string>{std::to_string(first) + "one1", std::to_string(second) + "two1"});
  CHECK(eventually([&] { return stats_of(w, "greet").done == 2; }));
}

TEST_CASE("an attempt knows what it needs to know") {
  worker_fixture f;
  std::atomic<bool> right{false};
  const auto id = f.jobs.enqueue("k", "", {.max_attempts = 1, .queue = "mail"});
  auto params = f.quick();
  params.queues = {"default", "mail"};
  q::worker w(f.jobs, params);
  w.on("k", [&](q::attempt& a) {
    right = a.id() == id && a.kind() == "k" && a.queue() == "mail" && a.is_last() &&
            a.lease().job == id && a.lease().sequence > 0 && !a.stop_token().stop_requested() &&
            a.deadline() > std::chrono::steady_clock::now();
    a.heartbeat();
  });

  w.start();

  CHECK(eventually([&] { return f.drained(); }));
  CHECK(right);
  CHECK(f.jobs.dead_letters().empty());
}

TEST_CASE("a job that fails is tried again, and dead after its last attempt") {
  worker_fixture f;
  journal seen;
  const auto id = f.jobs.enqueue("flaky", "p", {.max_attempts = 3});
  q::worker w(f.jobs, f.quick());
  w.on("flaky", [&](q::attempt& a) {
    seen.add(std::to_string(a.number()) + (a.is_last() ? " last" : ""));
    throw std::runtime_error("no route to host");
  });

  w.start();
  REQUIRE(eventually([&] { return f.jobs.status(id)->state == q::job_state::dead; }));

  CHECK(seen.entries() == std::vector<std::string>{"1", "2", "3 last"});
  const auto letters = f.jobs.dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].reason == "no route to host");
  CHECK(letters[0].errors == 3);
  CHECK(letters[0].payload == "p");
  CHECK(stats_of(w, "flaky").retried == 2);
  CHECK(eventually([&] { return stats_of(w, "flaky").dead == 1; }));
}

TEST_CASE("a retry waits for its time by the wall clock") {
  worker_fixture f;
  std::atomic<int> runs{0};
  const auto id = f.jobs.enqueue("k", "");
  q::worker w(f.jobs, f.quick());
  w.on("k", [&](q::attempt&) -> q::outcome {
    if (++runs == 1) return q::outcome::retry("busy", 10min);
    return q::outcome::done();
  });

  w.start();
  REQUIRE(eventually([&] { return f.jobs.status(id)->state == q::job_state::scheduled; }));
  CHECK(f.jobs.status(id)->run_at == f.clock.wall_now() + 10min);
  CHECK(f.jobs.status(id)->last_error == "busy");

  f.clock.advance(10min);

  CHECK(eventually([&] { return f.jobs.status(id)->state == q::job_state::finished; }));
  CHECK(runs == 2);
}

TEST_CASE("a dead letter that is redriven has all its attempts again") {
  worker_fixture f;
  std::atomic<bool> broken{true};
  const auto id = f.jobs.enqueue("k", "", {.max_attempts = 1});
  q::worker w(f.jobs, f.quick());
  w.on("k", [&](q::attempt&) {
    if (broken) throw std::runtime_error("broken");
  });
  w.start();
  REQUIRE(eventually([&] { return f.jobs.status(id)->state == q::job_state::dead; }));

  broken = false;
  CHECK(f.jobs.redrive(id));

  CHECK(eventually([&] { return f.jobs.status(id)->state == q::job_state::finished; }));
}

TEST_CASE("what a handler may say, returned or thrown") {
  worker_fixture f;
  std::atomic<int> snoozed{0};
  q::worker w(f.jobs, f.quick());
  w.on("snooze", [&](q::attempt& a) -> q::outcome {
    CHECK(a.number() == 1);
    if (++snoozed < 5) return q::snooze(0s);
    return q::outcome::done();
  });
  w.on("discard", [](q::attempt&) { return q::discard("pointless"); });
  w.on("cancel", [](q::attempt&) { throw q::cancel("order withdrawn"); });
  w.on("bury", [](q::attempt&) { throw q::bury("malformed"); });
  w.on("odd", [](q::attempt&) { throw 42; });
  f.jobs.enqueue("snooze", "", {.max_attempts = 1});
  f.jobs.enqueue("discard", "");
  f.jobs.enqueue("cancel", "");
  const auto buried = f.jobs.enqueue("bury", "");
  const auto odd = f.jobs.enqueue("odd", "", {.max_attempts = 1});

  w.start();
  REQUIRE(eventually([&] { return f.drained(); }));

  CHECK(snoozed == 5);
  const auto letters = f.jobs.dead_letters();
  REQUIRE(letters.size() == 2);
  CHECK(letters[0].id == buried);
  CHECK(letters[0].reason == "malformed");
  CHECK(letters[1].id == odd);
  CHECK(letters[1].reason == "the handler threw something that is no std::exception");
  w.stop(5s);
  CHECK(stats_of(w, "snooze").snoozed == 4);
  CHECK(stats_of(w, "discard").discarded == 1);
  CHECK(stats_of(w, "cancel").cancelled == 1);
}

TEST_CASE("a job of a kind that nobody here knows waits for a worker that does") {
  worker_fixture f;
  q::worker old_release(f.jobs, f.quick());
  old_release.on("old_kind", [](q::attempt&) {});
  old_release.start();
  const auto unknown = f.jobs.enqueue("new_kind", "");
  const auto known = f.jobs.enqueue("old_kind", "");
  REQUIRE(eventually([&] { return f.jobs.status(known)->state == q::job_state::finished; }));
  CHECK(f.jobs.status(unknown)->state == q::job_state::ready);

  q::worker new_release(f.jobs, f.quick());
  new_release.on("new_kind", [](q::attempt&) {});
  new_release.start();

  CHECK(eventually([&] { return f.jobs.status(unknown)->state == q::job_state::finished; }));
}

TEST_CASE("an effect in the handler's own transaction happens exactly once") {
  worker_fixture f;
  f.db.write(db::sql("create table ledger (job integer not null)"));
  std::atomic<int> calls{0};
  q::worker w(f.jobs, f.quick());
  w.on("pay", [&](q::attempt& a) {
    const bool first = ++calls == 1;
    f.db.transaction([&](db::transaction& tx) {
      tx.write(db::sql("insert into ledger (job) values ($1)", a.id()));
      a.complete_in(tx);
      if (first) throw std::runtime_error("fails before the commit");
    });
    throw std::runtime_error("fails after the commit");
  });
  const auto id = f.jobs.enqueue("pay", "");

  w.start();
  REQUIRE(eventually([&] { return f.jobs.status(id)->state == q::job_state::finished; }));

  CHECK(f.db.read_one<int>(db::sql("select count(*) from ledger")) == 1);
  w.stop(5s);
  CHECK(calls == 2);
  CHECK(stats_of(w, "pay").done == 1);
  CHECK(f.jobs.dead_letters().empty());
}

TEST_CASE("an attempt whose lease was taken away cannot complete, and its effects are undone") {
  worker_fixture f;
  f.db.write(db::sql("create table ledger (job integer not null)"));
  std::atomic<int> calls{0};
  std::atomic<bool> refused{false};
  q::worker w(f.jobs, f.quick());
  w.on("pay", [&](q::attempt& a) {
    if (++calls == 1) {
      // Another worker took this one for dead.
      f.db.write(db::sql("update sk_lease set nonce = nonce + 1 where id = $1", a.id()));
      f.db.write(db::sql("update sk_lease set worker = 0 where id = $1", a.id()));
    }
    try {
      f.db.transaction([&](db::transaction& tx) {
        tx.write(db::sql("insert into ledger (job) values ($1)", a.id()));
        a.complete_in(tx);
      });
    } catch (const error& e) {
      refused = e.code() == errc::lease_lost && a.stop_token().stop_requested();
      throw;
    }
  });
  const auto id = f.jobs.enqueue("pay", "");

  w.start();
  REQUIRE(eventually([&] { return f.jobs.status(id)->state == q::job_state::finished; }));

  CHECK(refused);
  CHECK(f.db.read_one<int>(db::sql("select count(*) from ledger")) == 1);
  w.stop(5s);
  CHECK(stats_of(w, "pay").lost == 1);
  CHECK(stats_of(w, "pay").done == 1);
}

TEST_CASE("an attempt that takes too long is told so, counts as an error and is tried again") {
  worker_fixture f;
  std::atomic<int> calls{0};
  std::atomic<bool> told{false};
  const auto id = f.jobs.enqueue("slow", "");
  q::worker w(f.jobs, f.quick());
  w.on("slow",
       [&](q::attempt& a) {
         if (++calls > 1) return;
         told = eventually([&] { return a.stop_token().stop_requested(); });
         CHECK_THROWS_AS(a.heartbeat(), error);
       },
       {.attempt_timeout = 50ms});

  w.start();

  CHECK(eventually([&] { return f.jobs.status(id)->state == q::job_state::finished; }));
  CHECK(told);
  w.stop(5s);
  CHECK(calls == 2);
  CHECK(stats_of(w, "slow").retried == 1);
  CHECK(stats_of(w, "slow").done == 1);
}

TEST_CASE("a heartbeat buys time") {
  worker_fixture f;
  const auto id = f.jobs.enqueue("long", "");
  std::atomic<int> calls{0};
  q::worker w(f.jobs, f.quick());
  w.on("long",
       [&](q::attempt& a) {
         ++calls;
         const auto end = std::chrono::steady_clock::now() + 600ms;
         while (std::chrono::steady_clock::now() < end) {
           a.heartbeat();
           std::this_thread::sleep_for(5ms);
         }
       },
       {.attempt_timeout = 300ms});

  w.start();

  CHECK(eventually([&] { return f.jobs.status(id)->state == q::job_state::finished; }));
  CHECK(calls == 1);
}

TEST_CASE("no job is run twice by workers that share a queue") {
  worker_fixture f;
  constexpr int total = 500;
  std::vector<std::atomic<int>> runs(total);
  auto other_client = db::client::open(f.file.quick_url());
  q::queue other(other_client);
  const auto count = [&](q::attempt& a) { ++runs[std::stoul(std::string(a.payload()))]; };
  q::worker one(f.jobs, f.quick());
  q::worker two(other, f.quick());
  one.on("k", count);
  two.on("k", count);
  one.start();
  two.start();

  for (int i = 0; i < total; ++i) f.jobs.enqueue("k", std::to_string(i));
  REQUIRE(eventually([&] { return f.drained(); }));

  CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& n) { return n == 1; }));
}

TEST_CASE("jobs of a transaction are found soon after its commit") {
  worker_fixture f;
  auto params = f.quick();
  params.poll_most = 10s;
  q::worker w(f.jobs, params);
  w.on("k", [](q::attempt&) {});
  w.start();

  const auto id =
      f.db.transaction([&](db::transaction& tx) { return f.jobs.enqueue(tx, "k", ""); });

  CHECK(eventually([&] { return f.jobs.status(id)->state == q::job_state::finished; }));
}

TEST_CASE("a worker that is idle leaves the writer alone") {
  worker_fixture f;
  q::worker w(f.jobs, f.quick());
  w.on("k", [](q::attempt&) {});
  w.start();
  REQUIRE(eventually([&] { return w.stats().turns >= 1; }));
  const auto turns = w.stats().turns;

  std::this_thread::sleep_for(200ms);

  CHECK(w.stats().turns <= turns + 1);
}

TEST_CASE("handlers are named before the start, each once, with settings that can work") {
  worker_fixture f;
  q::worker w(f.jobs, f.quick());
  const auto nothing = [](q::attempt&) {};
  w.on("k", nothing);

  CHECK_THROWS_AS(w.on("k", nothing), std::invalid_argument);
  CHECK_THROWS_AS(w.on("", nothing), std::invalid_argument);
  CHECK_THROWS_AS(w.on("l", nothing, {.attempt_timeout = 1ms}), std::invalid_argument);
  CHECK_THROWS_AS(q::worker(f.jobs, {.concurrency = 0}), std::invalid_argument);
  w.start();
  CHECK_THROWS_AS(w.on("m", nothing), error);
  CHECK_THROWS_AS(w.start(), error);
}
