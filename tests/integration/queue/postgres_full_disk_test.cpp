// A queue on a server whose disk is full.

#include "integration/queue/worker_fixture.hpp"
#include "scalekit/core/error.hpp"
#include "support/postgres/server.hpp"
#include "support/throws_errc.hpp"

#include <algorithm>
#include <map>

using namespace scalekit;
using namespace std::chrono_literals;
namespace q = scalekit::queue;

TEST_CASE("on a full disk enqueue says so, and workers go on when there is room again") {
  support::postgres::server server({.disk_can_fill = true});
  auto db = db::client::open(server.socket_url());
  journal log;
  q::queue jobs(db, {.log = log_sink([&](const log_record& r) { log.add(std::string(r.event)); })});
  jobs.migrate();
  run_counts runs;
  gate door;
  auto params = worker_fixture::quick();
  params.stale_after = 30s;
  q::worker worker(jobs, params);
  worker.on("fails_once", [&](q::attempt& a) {
    if (runs.add(a.id()) > 1) return q::outcome::done();
    door.pass();
    return q::outcome::retry(std::string(1000, 'r'));
  });
  worker.on("k", [&](q::attempt& a) { runs.add(a.id()); });
  std::map<q::job_id, int> expected;
  for (int i = 0; i < 4; ++i) expected[jobs.enqueue("fails_once", "")] = 2;
  worker.start();
  REQUIRE(eventually([&] { return door.waiting() == 4; }));

  server.fill_disk("base");
  CHECK_ERRC(
      [&] {
        for (int i = 0; i < 10'000; ++i) expected[jobs.enqueue("k", std::string(500, 'p'))] = 1;
      }(),
      errc::disk_full);
  door.open();
  REQUIRE(eventually([&] {
    const auto events = log.entries();
    return std::ranges::count(events, "queue.database.failing") > 0;
  }));
  server.free_disk();

  CHECK(eventually([&] {
    const auto s = jobs.stats();
    return s.ready + s.scheduled + s.running == 0;
  }));
  CHECK(runs.all() == expected);
  CHECK(jobs.dead_letters().empty());
  jobs.enqueue("k", "");
}
