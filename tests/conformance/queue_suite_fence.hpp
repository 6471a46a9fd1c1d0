#pragma once

// Leases: who may finish a job.

#include "conformance/queue_suite.hpp"

namespace scalekit::queue::suite {

TEST_CASE_TEMPLATE("a lease is good for one ending", Backend, SCALEKIT_QUEUE_BACKENDS) {
  for (std::size_t i = 0; i < 5; ++i) {
    CAPTURE(i);
    bench<Backend> b;
    b.add();
    const auto held = b.claim()[0].held;
    const auto s = every_fate(held)[i];

    CHECK(b.engine.holds(held));
    CHECK(b.settle(s));
    CHECK_FALSE(b.engine.holds(held));
    for (const auto& again : every_fate(held)) CHECK_FALSE(b.settle(again));
  }
}

TEST_CASE_TEMPLATE("a zombie can do nothing to the attempt that came after it", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto id = b.add();
  const auto zombie = b.claim()[0].held;
  b.take_away_from(b.worker);
  const auto heir = b.engine.enlist(2222, 10s, start);
  const auto successor = b.claim(1, heir).at(0).held;

  CHECK(successor.sequence > zombie.sequence);
  CHECK_FALSE(b.engine.holds(zombie));
  for (const auto& s : every_fate(zombie)) CHECK_FALSE(b.settle(s));
  b.backend.db().transaction(
      [&](db::transaction& tx) { CHECK_FALSE(b.engine.complete_in(tx, zombie)); });

  CHECK(b.state(id) == job_state::running);
  CHECK(b.engine.holds(successor));
  CHECK(b.settle(done(successor)));
}

TEST_CASE_TEMPLATE("sequence and nonce both have to fit", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  b.add();
  const auto held = b.claim()[0].held;
  auto other_sequence = held;
  ++other_sequence.sequence;
  auto other_nonce = held;
  ++other_nonce.nonce;

  for (const auto& forged : {other_sequence, other_nonce}) {
    CHECK_FALSE(b.engine.holds(forged));
    for (const auto& s : every_fate(forged)) CHECK_FALSE(b.settle(s));
  }
  CHECK(b.settle(done(held)));
}

TEST_CASE_TEMPLATE("a later attempt by the same worker has a lease of its own", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  b.add();
  const auto first = b.claim()[0].held;
  b.settle({.held = first, .to = fate::ready, .past = {.snoozes = 1}});
  const auto second = b.claim()[0].held;

  CHECK(second.sequence > first.sequence);
  CHECK_FALSE(b.settle(done(first)));
  CHECK(b.settle(done(second)));
}

TEST_CASE_TEMPLATE("what is stale in a batch does not hinder the rest", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  for (int i = 0; i < 6; ++i) b.add();
  const auto claimed = b.claim(6);
  b.settle(done(claimed[1].held));
  b.settle(done(claimed[4].held));
  std::vector<settlement> batch;
  for (const auto& c : claimed) batch.push_back(done(c.held));
  batch[3].to = fate::later;
  batch[3].at = start + 1s;
  batch[4].to = fate::dead;

  const auto r = b.engine.turn({.settle = batch, .now = start});

  CHECK(r.settled == std::vector<bool>{true, false, true, true, false, true});
  CHECK(b.engine.stats(start).running == 0);
  CHECK(b.engine.stats(start).scheduled == 1);
  CHECK(b.engine.stats(start).dead == 0);
}

TEST_CASE_TEMPLATE("endings under several nonces share a batch", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  b.add();
  b.add();
  const auto reborn = b.engine.enlist(2222, 10s, start);
  const std::vector batch{done(b.claim()[0].held), done(b.claim(1, reborn)[0].held)};

  const auto r = b.engine.turn({.settle = batch, .now = start});

  CHECK(r.settled == std::vector<bool>{true, true});
}

TEST_CASE_TEMPLATE("finishing in the caller's transaction is as atomic as that is", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto id = b.add();
  const auto held = b.claim()[0].held;

  auto tx = b.backend.db().begin();
  CHECK(b.engine.complete_in(tx, held));
  SUBCASE("rolled back: the attempt goes on") {
    tx.rollback();
    CHECK(b.engine.holds(held));
    CHECK(b.state(id) == job_state::running);
  }
  SUBCASE("committed: the job is done, once") {
    tx.commit();
    CHECK_FALSE(b.engine.holds(held));
    CHECK(b.state(id) == job_state::finished);
    CHECK_FALSE(b.settle(done(held)));
  }
}

TEST_CASE_TEMPLATE("history is kept across attempts, the newest error with it", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto id = b.add();
  b.settle(
      {.held = b.claim()[0].held, .to = fate::ready, .past = {.errors = 1}, .reason = "first"});
  const auto second = b.claim()[0];
  CHECK(second.past == job_history{.errors = 1});

  b.settle({.held = second.held, .to = fate::ready, .past = {.errors = 1, .snoozes = 1}});
  CHECK(b.engine.status(id)->last_error == "first");

  const auto third = b.claim()[0];
  CHECK(third.past == job_history{.errors = 1, .snoozes = 1});
  b.settle({.held = third.held, .to = fate::ready, .recorded = false});
  CHECK(b.claim()[0].past == job_history{.errors = 1, .snoozes = 1});
}

}  // namespace scalekit::queue::suite
