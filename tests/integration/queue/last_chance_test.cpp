// A job on its last chance runs alone; nothing it does may keep its worker from the others.

#include "integration/queue/worker_fixture.hpp"
#include "scalekit/db/statement.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;
namespace q = scalekit::queue;
using scalekit::db::sql;

namespace {

void say_it_crashed_before(worker_fixture& f, q::job_id id, int crashes) {
  f.db.write(
      sql("insert into sk_past (id, errors, crashes, interruptions, snoozes, last_error) "
          "values ($1, 0, $2, 0, 0, '')",
          id, crashes));
}

}  // namespace

TEST_CASE("a job on its last chance that overruns its time does not stop its worker's claims") {
  worker_fixture f;
  const auto deadly = f.jobs.enqueue("deadly", "");
  say_it_crashed_before(f, deadly, 2);
  gate door;
  std::atomic<bool> ran{false};
  q::worker w(f.jobs, f.quick());
  w.on("deadly", [&](q::attempt&) { door.pass(); }, {.attempt_timeout = 50ms});
  w.on("harmless", [&](q::attempt&) { ran = true; });
  w.start();
  REQUIRE(eventually([&] { return door.waiting() == 1; }));

  f.jobs.enqueue("harmless", "");
  const bool ran_beside_it = eventually([&] { return ran.load(); });
  door.open();

  CHECK(ran_beside_it);
}

TEST_CASE("a handler's stop callback may use its queue and its worker") {
  worker_fixture f;
  gate door;
  std::atomic<bool> called{false};
  q::worker w(f.jobs, f.quick());
  w.on("slow",
       [&](q::attempt& a) {
         std::stop_callback at_stop(a.stop_token(), [&] {
           f.jobs.enqueue("note", "stopped");
           w.stats();
           called = true;
         });
         door.pass();
       },
       {.attempt_timeout = 50ms});
  f.jobs.enqueue("slow", "");
  w.start();

  const bool came_back = eventually([&] { return called.load(); });
  door.open();

  CHECK(came_back);
}

TEST_CASE("a pause longer than ten years is ten years") {
  worker_fixture f;
  std::atomic<int> runs{0};
  q::worker w(f.jobs, f.quick());
  w.on("parked", [&](q::attempt&) {
    ++runs;
    return q::snooze(std::chrono::microseconds::max());
  });
  const auto id = f.jobs.enqueue("parked", "");
  w.start();
  REQUIRE(eventually([&] { return f.jobs.stats().scheduled == 1; }));

  f.clock.advance(24h);
  w.stop(1s);

  CHECK(runs == 1);
  CHECK(f.jobs.status(id).has_value());
}
