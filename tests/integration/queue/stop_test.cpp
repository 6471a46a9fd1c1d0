// How a worker ends.

#include "integration/queue/worker_fixture.hpp"
#include "scalekit/core/error.hpp"

#include <sys/wait.h>
#include <unistd.h>

using namespace scalekit;
using namespace std::chrono_literals;
namespace q = scalekit::queue;

TEST_CASE("a worker that stops lets its handlers end and records what they did") {
  worker_fixture f;
  gate door;
  const auto id = f.jobs.enqueue("k", "");
  q::worker w(f.jobs, f.quick());
  w.on("k", [&](q::attempt&) { door.pass(); });
  w.start();
  REQUIRE(eventually([&] { return door.waiting() == 1; }));

  std::thread opener([&] { door.open(); });
  const auto report = w.stop(20s);
  opener.join();

  CHECK(report.returned == 0);
  CHECK(report.interrupted == 0);
  CHECK(f.jobs.status(id)->state == q::job_state::finished);
  CHECK(f.jobs.stats().workers == 0);
}

TEST_CASE("handlers that heed the request are interrupted, and no attempt is burnt") {
  worker_fixture f;
  std::atomic<bool> running{false};
  const auto id = f.jobs.enqueue("k", "", {.max_attempts = 1});
  q::worker w(f.jobs, f.quick());
  w.on("k", [&](q::attempt& a) {
    running = true;
    eventually([&] { return a.stop_token().stop_requested(); });
    throw std::runtime_error("stopped half way");
  });
  w.start();
  REQUIRE(eventually([&] { return running.load(); }));

  const auto report = w.stop(0ms);

  CHECK(report.interrupted == 1);
  CHECK(report.abandoned == 0);
  const auto status = f.jobs.status(id).value();
  CHECK(status.state == q::job_state::ready);
  CHECK(status.interruptions == 1);
  CHECK(status.errors == 0);
}

TEST_CASE("a handler that heeds nothing is left behind, and cannot finish its job any more") {
  auto door = std::make_shared<gate>();
  auto ended = std::make_shared<std::atomic<bool>>(false);
  worker_fixture f;
  const auto id = f.jobs.enqueue("k", "");
  {
    q::worker w(f.jobs, f.quick());
    w.on("k", [door, ended](q::attempt&) {
      door->pass();
      *ended = true;
    });
    w.start();
    REQUIRE(eventually([&] { return door->waiting() == 1; }));

    const auto report = w.stop(0ms);

    CHECK(report.abandoned == 1);
  }
  CHECK(f.jobs.status(id)->state == q::job_state::ready);

  door->open();
  CHECK(eventually([&] { return ended->load(); }));
  CHECK(f.jobs.status(id)->state == q::job_state::ready);
  CHECK(f.jobs.status(id)->interruptions == 1);
}

TEST_CASE("what was claimed ahead and not started is given back untouched") {
  worker_fixture f;
  gate door;
  auto params = f.quick();
  params.concurrency = 1;
  params.max_prefetch_age = 1h;
  std::atomic<int> fast{0};
  q::worker w(f.jobs, params);
  w.on("fast", [&](q::attempt&) { ++fast; });
  w.on("block", [&](q::attempt&) { door.pass(); });
  // Many fast ones teach the worker to claim ahead; then one blocks, with others behind it.
  for (int i = 0; i < 50; ++i) f.jobs.enqueue("fast", "");
  w.start();
  REQUIRE(eventually([&] { return fast == 50 && f.drained(); }));
  std::vector<q::job_request> batch(20, {.kind = "fast", .payload = ""});
  batch.front().kind = "block";
  const auto ids = f.jobs.enqueue_many(batch);
  REQUIRE(eventually([&] { return door.waiting() == 1 && w.stats().prefetched > 0; }));

  std::thread opener([&] {
    eventually([&] { return w.stats().prefetched == 0; });
    door.open();
  });
  const auto report = w.stop(20s);
  opener.join();

  CHECK(report.returned > 0);
  CHECK(fast == 50);
  CHECK(f.jobs.stats().ready == 19);
  CHECK(f.jobs.status(ids.back())->interruptions == 0);
}

TEST_CASE("what waits too long behind slow handlers is given to others") {
  worker_fixture f;
  gate door;
  auto params = f.quick();
  params.concurrency = 1;
  params.max_prefetch_age = 20ms;
  std::atomic<int> fast{0};
  q::worker w(f.jobs, params);
  w.on("fast", [&](q::attempt&) { ++fast; });
  w.on("block", [&](q::attempt&) { door.pass(); });
  for (int i = 0; i < 50; ++i) f.jobs.enqueue("fast", "");
  w.start();
  REQUIRE(eventually([&] { return fast == 50 && f.drained(); }));
  std::vector<q::job_request> batch(20, {.kind = "fast", .payload = ""});
  batch.front().kind = "block";

  f.jobs.enqueue_many(batch);

  CHECK(eventually([&] { return door.waiting() == 1 && f.jobs.stats().ready == 19; }));
  door.open();
  CHECK(eventually([&] { return fast == 69; }));
}

TEST_CASE("stopping twice, stopping what was not started, and starting what was stopped") {
  worker_fixture f;
  q::worker unstarted(f.jobs, f.quick());
  unstarted.stop(1s);
  CHECK_THROWS_AS(unstarted.start(), error);

  q::worker w(f.jobs, f.quick());
  w.start();
  w.stop(1s);
  w.stop(1s);
  CHECK(f.jobs.stats().workers == 0);
}

TEST_CASE("run() works until it is told to stop") {
  worker_fixture f;
  const auto id = f.jobs.enqueue("k", "");
  q::worker w(f.jobs, f.quick());
  w.on("k", [](q::attempt&) {});
  std::stop_source stop;
  std::thread thread([&] { w.run(stop.get_token()); });
  CHECK(eventually([&] { return f.jobs.status(id)->state == q::job_state::finished; }));

  SUBCASE("by its token") {
    stop.request_stop();
  }
  SUBCASE("by stop()") {
    w.stop(5s);
  }

  thread.join();
  CHECK(f.jobs.stats().workers == 0);
}

TEST_CASE("a worker that ends without stop() stops in its destructor") {
  worker_fixture f;
  {
    q::worker w(f.jobs, f.quick());
    w.on("k", [](q::attempt&) {});
    w.start();
  }
  CHECK(f.jobs.stats().workers == 0);
}

TEST_CASE("a forked child is told whose worker it has, and can destroy it") {
  worker_fixture f;
  auto w = std::make_unique<q::worker>(f.jobs, f.quick());
  w->start();

  const pid_t child = fork();
  if (child == 0) {
    bool told = false;
    try {
      w->stop(1s);
    } catch (const scalekit::error& e) {
      told = e.code() == scalekit::errc::forked;
    }
    w.reset();
    _exit(told ? 0 : 1);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);

  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(f.jobs.stats().workers == 1);
}
