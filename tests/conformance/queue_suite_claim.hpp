#pragma once

// Claiming: who gets which job, when.

#include "conformance/queue_suite.hpp"

namespace scalekit::queue::suite {

TEST_CASE_TEMPLATE("jobs are claimed in the order of their keys, then of their ids", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto c = b.add(bench<Backend>::job("c", 30));
  const auto a1 = b.add(bench<Backend>::job("a", -10));
  const auto b1 = b.add(bench<Backend>::job("b", 20));
  const auto a2 = b.add(bench<Backend>::job("a", -10));

  const auto first = b.claim(3);
  const auto second = b.claim(3);

  REQUIRE(first.size() == 3);
  REQUIRE(second.size() == 1);
  CHECK(first[0].held.job == a1);
  CHECK(first[1].held.job == a2);
  CHECK(first[2].held.job == b1);
  CHECK(second[0].held.job == c);
}

TEST_CASE_TEMPLATE("a claim tells all that a worker needs", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  auto j = bench<Backend>::job("send_email");
  j.max_attempts = 7;
  const auto id = b.add(j);

  const auto claimed = b.claim();

  REQUIRE(claimed.size() == 1);
  CHECK(claimed[0].held.job == id);
  CHECK(claimed[0].held.nonce == b.worker.nonce);
  CHECK(claimed[0].queue == "default");
  CHECK(claimed[0].kind == "send_email");
  CHECK(text_of(claimed[0].payload) == "payload");
  CHECK(claimed[0].max_attempts == 7);
  CHECK(claimed[0].past == job_history{});
}

TEST_CASE_TEMPLATE("no claim takes more than it asked for", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const std::vector<new_job> jobs(100, bench<Backend>::job());
  b.engine.enqueue(nullptr, jobs);

  CHECK(b.claim(33).size() == 33);
  CHECK(b.engine.stats(start).ready == 67);
  CHECK(b.engine.stats(start).running == 33);
}

TEST_CASE_TEMPLATE("a claim takes no more bytes than it may, and one job in any case", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  std::vector<std::string> payloads;
  for (const auto size : std::vector<std::size_t>{300, 10, 500, 0, 300, 2000, 10}) {
    payloads.emplace_back(size, static_cast<char>('a' + payloads.size()));
  }
  for (const auto& payload : payloads) {
    auto j = bench<Backend>::job();
    j.payload = payload;
    b.add(j);
  }
  const std::string queue = "default";
  const auto sizes_claimed = [&] {
    std::vector<std::size_t> sizes;
    for (const auto& job : b.engine
                               .turn({.who = b.worker,
                       .claim = 100,
                       .claim_bytes = 1000,
                       .queues = {&queue, 1},
                       .kinds = kinds,
                       .now = b.now})
                               .claimed) {
      CHECK(text_of(job.payload) == payloads[static_cast<std::size_t>(job.held.job - 1)]);
      sizes.push_back(job.payload.size());
    }
    return sizes;
  };

  CHECK(sizes_claimed() == std::vector<std::size_t>{300, 10, 500, 0});
  CHECK(sizes_claimed() == std::vector<std::size_t>{300});
  CHECK(sizes_claimed() == std::vector<std::size_t>{2000});
  CHECK(sizes_claimed() == std::vector<std::size_t>{10});
  CHECK(b.engine.stats(start).ready == 0);
}

TEST_CASE_TEMPLATE("queues are told apart, and served in the order that is asked for", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  auto mail = bench<Backend>::job("mail", 100);
  mail.queue = "mail";
  auto bulk = bench<Backend>::job("bulk", 0);
  bulk.queue = "bulk";
  b.add(mail);
  b.add(bulk);
  b.add(bulk);

  CHECK(b.claim(9, b.worker, "default").empty());
  const std::vector<std::string> order{"mail", "bulk"};
  const auto claimed =
      b.engine.turn({.who = b.worker, .claim = 2, .queues = order, .kinds = kinds, .now = start})
          .claimed;

  REQUIRE(claimed.size() == 2);
  CHECK(claimed[0].queue == "mail");
  CHECK(claimed[1].queue == "bulk");
}

TEST_CASE_TEMPLATE("only jobs of the kinds that are asked for are claimed, in the order of all",
                   Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  b.add(bench<Backend>::job("c", 1));
  b.add(bench<Backend>::job("b", 2));
  b.add(bench<Backend>::job("a", 3));
  b.add(bench<Backend>::job("b", 4));
  b.add(bench<Backend>::job("a", 5));
  const std::string queue = "default";
  const std::vector<std::string> known{"a", "b"};
  const std::vector<std::string> unknown{"z"};
  const auto claim = [&](std::size_t most, std::span<const std::string> of) {
    std::string keys;
    for (const auto& c :
         b.engine
             .turn(
                 {.who = b.worker, .claim = most, .queues = {&queue, 1}, .kinds = of, .now = start})
             .claimed) {
      keys += c.kind;
    }
    return keys;
  };

  CHECK(claim(3, known) == "bab");
  CHECK(claim(3, known) == "a");
  CHECK(claim(3, known).empty());
  CHECK(claim(3, unknown).empty());
  CHECK(claim(3, {}).empty());
  CHECK_FALSE(b.engine.glance({&queue, 1}, known).has_ready);
  CHECK(b.engine.stats(start).ready == 1);
  CHECK(claim(3, kinds) == "c");
}

TEST_CASE_TEMPLATE("a delayed job is claimed when its time has come, by its key", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  auto j = bench<Backend>::job("late", 5);
  j.run_at = start + 10s;
  b.add(j);
  b.add(bench<Backend>::job("prompt", 9));

  b.now = start + 10s - 1us;
  CHECK(b.engine.stats(start).scheduled == 1);
  const std::string queue = "default";
  CHECK(b.engine.glance({&queue, 1}, kinds).next_due == start + 10s);

  b.now = start + 10s;
  const auto claimed = b.claim(2);
  REQUIRE(claimed.size() == 2);
  CHECK(claimed[0].kind == "late");
  CHECK_FALSE(b.engine.glance({&queue, 1}, kinds).next_due);
}

TEST_CASE_TEMPLATE("many jobs that fall due together are all claimed in time", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  auto j = bench<Backend>::job();
  j.run_at = start + 1s;
  const std::vector<new_job> jobs(2500, j);
  b.engine.enqueue(nullptr, jobs);
  b.now = start + 2s;

  std::size_t claimed = 0;
  for (int turn = 0; turn < 10; ++turn) claimed += b.claim(1000).size();

  CHECK(claimed == 2500);
}

TEST_CASE_TEMPLATE("a glance tells whether there is anything in these queues", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const std::vector<std::string> both{"mail", "default"};
  const std::vector<std::string> mail{"mail"};
  CHECK_FALSE(b.engine.glance(both, kinds).has_ready);

  b.add();

  CHECK(b.engine.glance(both, kinds).has_ready);
  CHECK_FALSE(b.engine.glance(mail, kinds).has_ready);
  b.claim();
  CHECK_FALSE(b.engine.glance(both, kinds).has_ready);
}

TEST_CASE_TEMPLATE("one turn records and claims", Backend, SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  const auto first = b.add();
  b.add();
  const auto s = done(b.claim()[0].held);
  const std::string queue = "default";

  const auto r = b.engine.turn({.settle = {&s, 1},
                                .who = b.worker,
                                .claim = 1,
                                .queues = {&queue, 1},
                                .kinds = kinds,
                                .now = start});

  CHECK(r.settled == std::vector<bool>{true});
  CHECK(r.claimed.size() == 1);
  CHECK(b.state(first) == job_state::finished);
}

TEST_CASE_TEMPLATE("several workers on several threads never get the same job", Backend,
                   SCALEKIT_QUEUE_BACKENDS) {
  bench<Backend> b;
  constexpr std::size_t total = 600;
  const std::vector<new_job> jobs(total, bench<Backend>::job());
  b.engine.enqueue(nullptr, jobs);
  std::vector<std::vector<job_id>> got(4);

  const auto work = [&](std::size_t n) {
    auto& engine = n % 2 == 0 ? b.engine : b.backend.other();
    const auto who = engine.enlist(static_cast<std::int64_t>(n), 10s, start);
    const std::string queue = "default";
    std::vector<settlement> ended;
    for (;;) {
      auto r = engine.turn({.settle = ended,
                            .who = who,
                            .claim = 7 + n,
                            .queues = {&queue, 1},
                            .kinds = kinds,
                            .now = start});
      ended.clear();
      if (r.claimed.empty()) return;
      for (const auto& c : r.claimed) {
        got[n].push_back(c.held.job);
        ended.push_back(done(c.held));
      }
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t n = 0; n < got.size(); ++n) threads.emplace_back(work, n);
  for (auto& t : threads) t.join();

  std::map<job_id, int> times;
  for (const auto& ids : got) {
    for (const auto id : ids) ++times[id];
  }
  CHECK(times.size() == total);
  CHECK(std::all_of(times.begin(), times.end(), [](const auto& t) { return t.second == 1; }));
  const auto s = b.engine.stats(start);
  CHECK(s.ready + s.running == 0);
}

}  // namespace scalekit::queue::suite
