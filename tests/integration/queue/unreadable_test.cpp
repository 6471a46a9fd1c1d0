// Jobs whose rows cannot be read.

#include "integration/queue/worker_fixture.hpp"

#include <algorithm>

using namespace scalekit;
namespace q = scalekit::queue;

namespace {

struct reader : worker_fixture {
  /// The worker's own client, with a limit below what others may store.
  db::client small_client = db::client::open(file.quick_url(), {.max_value_bytes = 100'000});
  journal log;
  q::queue served{small_client,
                  {.clock = &clock,
                   .log = log_sink([this](const log_record& r) { log.add(std::string(r.event)); },
                                   log_level::warning)}};
  std::atomic<int> runs{0};
  q::worker worker{served, quick()};

  reader() {
    worker.on("k", [this](q::attempt&) { ++runs; });
  }

  /// Puts in what the worker cannot read: a number too large where the database takes one, else a
  /// payload too large.
  void damage(q::job_id id) {
    if (db.dialect() == db::dialect::sqlite) {
      db.write(
          db::sql("update sk_job set max_attempts = $1 where id = $2", std::int64_t{1} << 40, id));
    } else {
      db.write(db::sql("update sk_job set payload = $1 where id = $2", bytes(200'000), id));
    }
  }
  std::ptrdiff_t logged(const std::string& event) const {
    const auto entries = log.entries();
    return std::count(entries.begin(), entries.end(), event);
  }
};

}  // namespace

TEST_CASE("a job that cannot be read becomes a dead letter, and those beside it run") {
  reader r;
  const std::vector<q::job_request> requests(20, {.kind = "k", .payload = ""});
  const auto ids = r.jobs.enqueue_many(requests);
  r.damage(ids[0]);
  r.damage(ids[7]);

  r.worker.start();

  CHECK(eventually([&] { return r.drained(); }));
  CHECK(r.runs == 18);
  const auto letters = r.jobs.dead_letters();
  REQUIRE(letters.size() == 2);
  CHECK(letters[0].id == ids[0]);
  CHECK(letters[1].id == ids[7]);
  CHECK(letters[0].reason.find("cannot be read") != std::string::npos);
  CHECK(r.logged("queue.job.unreadable") == 2);
  CHECK(r.logged("queue.database.failing") == 0);
}

TEST_CASE("a job that cannot be read and is alone does not keep the worker from later ones") {
  reader r;
  r.damage(r.jobs.enqueue("k", ""));
  r.worker.start();
  REQUIRE(eventually([&] { return r.drained(); }));

  r.jobs.enqueue("k", "");

  CHECK(eventually([&] { return r.runs == 1; }));
}

TEST_CASE("a payload beyond the client's limit becomes a dead letter that can still be listed") {
  reader r;
  const auto big = r.jobs.enqueue("k", std::string(200'000, 'x'));
  const auto small = r.jobs.enqueue("k", "", {.max_attempts = 1});

  r.worker.start();

  CHECK(eventually([&] { return r.drained(); }));
  CHECK(r.runs == 1);
  CHECK(r.jobs.status(small)->state == q::job_state::finished);
  const auto letters = r.served.dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].id == big);
  CHECK(letters[0].payload.empty());
  CHECK(letters[0].reason.find("cannot be read") != std::string::npos);
  CHECK(r.jobs.dead_letters()[0].payload.size() == 200'000);
  CHECK(r.jobs.redrive(big));
}
