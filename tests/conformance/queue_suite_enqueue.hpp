#pragma once

// Storing jobs, and what people are told about them.

#include "conformance/queue_suite.hpp"

namespace scalekit::queue::suite {

TEST_CASE_TEMPLATE("ids grow, and are not given again when their job is gone", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto first = b.add();
  const auto second = b.add();
  for (const auto& c : b.claim(2)) b.settle(done(c.held));

  const auto third = b.add();

  CHECK(first > 0);
  CHECK(first < second);
  CHECK(second < third);
}

TEST_CASE_TEMPLATE("a payload of any bytes arrives as it was", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  const std::vector<std::string> payloads{"", std::string(3, '\0'), all_bytes, "\xff\xfe",
                                          std::string(1 << 20, '\0') + "end"};
  for (const auto& p : payloads) {
    auto j = bench<Backend>::job();
    j.payload = p;
    b.add(j);
  }

  const auto claimed = b.claim(10);

  REQUIRE(claimed.size() == payloads.size());
  for (std::size_t i = 0; i < payloads.size(); ++i) {
    CHECK(text_of(claimed[i].payload) == payloads[i]);
  }
}

TEST_CASE_TEMPLATE("a job enqueued in a transaction exists if and only if that commits", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto j = bench<Backend>::job();

  auto tx = b.backend.db().begin();
  b.engine.enqueue(&tx, {&j, 1});
  SUBCASE("rolled back") {
    tx.rollback();
    CHECK(b.claim().empty());
    CHECK(b.engine.stats(start).ready == 0);
  }
  SUBCASE("committed") {
    tx.commit();
    CHECK(b.claim().size() == 1);
  }
}

TEST_CASE_TEMPLATE("many are stored in order", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const std::vector<new_job> jobs(50, bench<Backend>::job());

  const auto ids = b.engine.enqueue(nullptr, jobs);

  CHECK(ids.size() == 50);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  CHECK(b.engine.stats(start).ready == 50);
}

TEST_CASE_TEMPLATE("the status of a job, from enqueue to its end", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  auto j = bench<Backend>::job("send_email");
  j.priority = high;
  j.run_at = start + 1h;
  const auto id = b.add(j);

  const auto scheduled = b.engine.status(id).value();
  CHECK(scheduled.state == job_state::scheduled);
  CHECK(scheduled.kind == "send_email");
  CHECK(scheduled.queue == "default");
  CHECK(scheduled.priority == high);
  CHECK(scheduled.run_at == start + 1h);
  CHECK(scheduled.enqueued_at == start);
  CHECK(scheduled.max_attempts == 3);

  b.now = start + 1h;
  const auto claimed = b.claim();
  CHECK(b.state(id) == job_state::running);

  b.settle({.held = claimed[0].held,
            .to = fate::ready,
            .past = {.errors = 1, .crashes = 2, .interruptions = 3, .snoozes = 4},
            .reason = "no route to host"});
  const auto ready = b.engine.status(id).value();
  CHECK(ready.state == job_state::ready);
  CHECK(ready.errors == 1);
  CHECK(ready.crashes == 2);
  CHECK(ready.interruptions == 3);
  CHECK(ready.snoozes == 4);
  CHECK(ready.last_error == "no route to host");

  b.settle(done(b.claim()[0].held));
  CHECK(b.state(id) == job_state::finished);
}

TEST_CASE_TEMPLATE("an id that was never given has no status", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  CHECK_FALSE(b.engine.status(1));
  const auto id = b.add();

  CHECK_FALSE(b.engine.status(id + 1));
  CHECK_FALSE(b.engine.status(0));
  CHECK_FALSE(b.engine.status(-1));
}

TEST_CASE_TEMPLATE("dead letters are kept, listed in pages, redriven and deleted", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  for (int i = 0; i < 5; ++i) b.add();
  for (const auto& c : b.claim(5)) {
    b.settle({.held = c.held,
              .to = fate::dead,
              .at = start + 1min,
              .past = {.errors = 3, .crashes = 1},
              .reason = "refused"});
  }

  const auto page = b.engine.dead_letters(3, 0);
  const auto rest = b.engine.dead_letters(3, page.back().id);
  REQUIRE(page.size() == 3);
  REQUIRE(rest.size() == 2);
  const auto& letter = page.front();
  CHECK(letter.kind == "work");
  CHECK(letter.payload == "payload");
  CHECK(letter.died_at == start + 1min);
  CHECK(letter.reason == "refused");
  CHECK(letter.errors == 3);
  CHECK(letter.crashes == 1);
  CHECK(b.state(letter.id) == job_state::dead);
  CHECK(b.claim().empty());

  CHECK(b.engine.redrive(letter.id, 0));
  CHECK_FALSE(b.engine.redrive(letter.id, 0));
  const auto again = b.claim();
  REQUIRE(again.size() == 1);
  CHECK(again[0].held.job == letter.id);
  CHECK(again[0].past == job_history{});

  CHECK(b.engine.delete_dead_letter(rest.front().id));
  CHECK_FALSE(b.engine.delete_dead_letter(rest.front().id));
  CHECK(b.state(rest.front().id) == job_state::finished);
  CHECK_FALSE(b.engine.redrive(again[0].held.job, 0));
}

TEST_CASE_TEMPLATE("the numbers tell where everything is", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  auto later = bench<Backend>::job();
  later.run_at = start + 1h;
  auto elsewhere = bench<Backend>::job();
  elsewhere.queue = "bulk";
  for (int i = 0; i < 4; ++i) b.add();
  b.add(elsewhere);
  b.add(later);
  const auto claimed = b.claim(2);
  b.settle({.held = claimed[0].held, .to = fate::dead, .at = start});

  const auto s = b.engine.stats(start + 30s);

  CHECK(s.ready == 3);
  CHECK(s.scheduled == 1);
  CHECK(s.running == 1);
  CHECK(s.dead == 1);
  CHECK(s.workers == 1);
  REQUIRE(s.queues.size() == 2);
  CHECK(s.queues[0].queue == "bulk");
  CHECK(s.queues[0].ready == 1);
  CHECK(s.queues[1].queue == "default");
  CHECK(s.queues[1].ready == 2);
  CHECK(s.queues[1].head_age == 30s);
}

TEST_CASE_TEMPLATE("creating the tables again changes nothing", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  b.add();

  b.engine.migrate();
  b.backend.other().migrate();

  CHECK(b.claim().size() == 1);
}

}  // namespace scalekit::queue::suite
