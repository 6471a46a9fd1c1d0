// A queue whose database can grow no further.

#include "integration/queue/worker_fixture.hpp"
#include "scalekit/core/error.hpp"
#include "support/throws_errc.hpp"

#include <algorithm>
#include <map>

using namespace scalekit;
using namespace std::chrono_literals;
namespace q = scalekit::queue;

namespace {

struct small_queue {
  test_database file;
  db::client db = db::client::open(file.quick_url() + "&max_database_bytes=512KiB");
  testing::manual_clock clock;
  journal log;
  q::queue jobs{db, {.clock = &clock, .log = log_sink([this](const log_record& r) {
                                        log.add(std::string(r.event));
                                      })}};

  small_queue() {
    jobs.migrate();
    db.run_script("create table filler (bytes blob)");
  }

  /// Until not even one more page fits.
  void fill_disk() {
    try {
      for (;;) db.write(db::sql("insert into filler values (zeroblob(3500))"));
    } catch (const error& e) {
      REQUIRE(e.code() == errc::disk_full);
    }
  }
  void empty_disk() { db.write(db::sql("delete from filler")); }

  bool drained() {
    const auto s = jobs.stats();
    return s.ready + s.scheduled + s.running == 0;
  }
  bool has_logged(std::string_view event) const {
    const auto entries = log.entries();
    return std::find(entries.begin(), entries.end(), event) != entries.end();
  }
};

q::worker_params at_once(std::size_t jobs) {
  auto params = worker_fixture::quick();
  params.concurrency = jobs;
  params.stale_after = 30s;
  return params;
}

// Three of them fill a page of what is known about failed attempts.
const std::string long_reason(1000, 'r');

}  // namespace

TEST_CASE("on a full disk enqueue says so, and what was accepted is run once") {
  small_queue f;
  std::map<q::job_id, int> accepted;
  const std::string payload(500, 'p');

  CHECK_ERRC(
      [&] {
        for (;;) accepted[f.jobs.enqueue("k", payload)] = 1;
      }(),
      errc::disk_full);
  const std::vector<q::job_request> many(50, {.kind = "k", .payload = payload});
  CHECK_ERRC(f.jobs.enqueue_many(many), errc::disk_full);
  CHECK(accepted.size() > 100);
  CHECK(f.jobs.stats().ready == accepted.size());

  run_counts runs;
  q::worker worker(f.jobs, at_once(8));
  worker.on("k", [&](q::attempt& a) { runs.add(a.id()); });
  worker.start();

  CHECK(eventually([&] { return f.drained(); }));
  CHECK(runs.all() == accepted);
  f.jobs.enqueue("k", payload);
}

TEST_CASE("a job and its row are refused together by a full disk") {
  small_queue f;
  f.fill_disk();

  CHECK_ERRC(f.db.transaction([&](db::transaction& tx) {
    tx.write(db::sql("insert into filler values (null)"));
    f.jobs.enqueue(tx, "k", std::string(20'000, 'p'));
  }),
             errc::disk_full);

  CHECK(f.jobs.stats().ready == 0);
  CHECK(f.db.read_one<int>(db::sql("select count(*) from filler where bytes is null")) == 0);
}

TEST_CASE("endings that find no room wait for it, and nothing is run once more") {
  small_queue f;
  gate door;
  gate later;
  run_counts runs;
  q::worker worker(f.jobs, at_once(8));
  worker.on("fails_once", [&](q::attempt& a) {
    if (runs.add(a.id()) > 1) {
      later.pass();  // a job that is done makes room
      return q::outcome::done();
    }
    door.pass();
    return q::outcome::retry(long_reason);
  });
  std::map<q::job_id, int> twice;
  for (int i = 0; i < 8; ++i) twice[f.jobs.enqueue("fails_once", "")] = 2;
  worker.start();
  REQUIRE(eventually([&] { return door.waiting() == 8; }));

  f.fill_disk();
  door.open();
  CHECK(eventually([&] { return f.has_logged("queue.database.failing"); }));
  CHECK_FALSE(f.drained());
  f.empty_disk();
  later.open();

  CHECK(eventually([&] { return f.drained(); }));
  CHECK(runs.all() == twice);
  CHECK(f.jobs.dead_letters().empty());
}

TEST_CASE("on a full disk jobs that are done make room for the endings of those that failed") {
  small_queue f;
  gate door;
  gate later;
  run_counts runs;
  q::worker worker(f.jobs, at_once(32));
  worker.on("fails_once", [&](q::attempt& a) {
    if (runs.add(a.id()) > 1) {
      later.pass();
      return q::outcome::done();
    }
    door.pass();
    return q::outcome::retry(long_reason);
  });
  worker.on("large", [&](q::attempt& a) {
    runs.add(a.id());
    later.pass();
    return q::outcome::done();
  });
  std::map<q::job_id, int> expected;
  for (int i = 0; i < 28; ++i) expected[f.jobs.enqueue("fails_once", "")] = 2;
  for (int i = 0; i < 4; ++i) expected[f.jobs.enqueue("large", std::string(20'000, 'p'))] = 1;
  worker.start();
  REQUIRE(eventually([&] { return door.waiting() == 28 && later.waiting() == 4; }));

  f.fill_disk();
  door.open();
  CHECK(eventually([&] { return f.has_logged("queue.database.failing"); }));
  later.open();

  CHECK(eventually([&] { return f.drained(); }));
  CHECK(runs.all() == expected);
}

TEST_CASE("a dead letter that finds no room is not lost") {
  small_queue f;
  gate door;
  q::worker worker(f.jobs, at_once(8));
  worker.on("k", [&](q::attempt&) {
    door.pass();
    return q::outcome::bury(long_reason);
  });
  for (int i = 0; i < 8; ++i) f.jobs.enqueue("k", "");
  worker.start();
  REQUIRE(eventually([&] { return door.waiting() == 8; }));

  f.fill_disk();
  door.open();
  CHECK(eventually([&] { return f.has_logged("queue.database.failing"); }));
  f.empty_disk();

  CHECK(eventually([&] { return f.jobs.dead_letters().size() == 8; }));
}
