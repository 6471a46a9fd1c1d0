#pragma once

// The register of workers: who is alive, and what becomes of the jobs of the dead.

#include "conformance/queue_suite.hpp"

namespace scalekit::queue::suite {

TEST_CASE_TEMPLATE("a heartbeat is seen by others", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto before = b.backend.other().workers().at(0);

  CHECK(b.engine.beat(b.worker, start + 3s));

  const auto after = b.backend.other().workers().at(0);
  CHECK(after.id == b.worker.id);
  CHECK(after.beats > before.beats);
  CHECK(after.stale_after_us == 10'000'000);
}

TEST_CASE_TEMPLATE("a worker that has beaten since it was sighted is not struck off", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto sighted = b.engine.workers().at(0);
  b.engine.beat(b.worker, start + 3s);

  CHECK_FALSE(b.engine.evict(sighted));
  CHECK(b.engine.beat(b.worker, start + 6s));
}

TEST_CASE_TEMPLATE("a worker is struck off once", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto sighted = b.engine.workers().at(0);

  CHECK(b.engine.evict(sighted));
  CHECK_FALSE(b.backend.other().evict(sighted));
}

TEST_CASE_TEMPLATE("a worker that was struck off is told so, and claims nothing", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  b.add();
  b.engine.evict(b.engine.workers().at(0));
  const std::string queue = "default";

  const auto r = b.engine.turn(
      {.who = b.worker, .claim = 1, .queues = {&queue, 1}, .kinds = kinds, .now = start});

  CHECK(r.evicted);
  CHECK(r.claimed.empty());
  CHECK_FALSE(b.engine.beat(b.worker, start));
  CHECK(b.engine.stats(start).ready == 1);
}

TEST_CASE_TEMPLATE("only the jobs of workers that are gone are orphans", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  for (int i = 0; i < 4; ++i) b.add();
  const auto alive = b.engine.enlist(2222, 10s, start);
  b.claim(2, alive);
  const auto lost = b.claim(2);
  CHECK(b.engine.orphans(10).empty());

  b.engine.evict(b.engine.workers().at(0));

  const auto orphans = b.backend.other().orphans(10);
  REQUIRE(orphans.size() == 2);
  CHECK(orphans[0].held == lost[0].held);
  CHECK(orphans[1].held == lost[1].held);
  CHECK(b.engine.orphans(1).size() == 1);
}

TEST_CASE_TEMPLATE("a job is rescued once, whoever tries", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto id = b.add();
  b.claim();
  b.engine.evict(b.engine.workers().at(0));
  const auto seen_by_one = b.engine.orphans(10);
  const auto seen_by_other = b.backend.other().orphans(10);
  const auto s = detail::after_crash(seen_by_other.at(0), 3, start);

  CHECK(b.settle(detail::after_crash(seen_by_one.at(0), 3, start)));
  CHECK_FALSE(b.backend.other().turn({.settle = {&s, 1}, .now = start}).settled.front());

  CHECK(b.state(id) == job_state::ready);
  CHECK(b.engine.status(id)->crashes == 1);
}

TEST_CASE_TEMPLATE("an attempt that ends before its rescue wins", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto id = b.add();
  const auto held = b.claim()[0].held;
  b.engine.evict(b.engine.workers().at(0));
  const auto orphans = b.engine.orphans(10);

  CHECK(b.settle(done(held)));
  CHECK_FALSE(b.settle(detail::after_crash(orphans.at(0), 3, start)));

  CHECK(b.state(id) == job_state::finished);
}

TEST_CASE_TEMPLATE("a worker that leaves is off the register", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;

  b.engine.leave(b.worker);

  CHECK(b.engine.workers().empty());
  CHECK(b.engine.enlist(3333, 10s, start).id > b.worker.id);
}

}  // namespace scalekit::queue::suite
