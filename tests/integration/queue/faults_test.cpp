// A worker whose database fails, as a whole or for one job.

#include "integration/queue/worker_fixture.hpp"
#include "queue/worker_shell.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>

using namespace scalekit;
using namespace std::chrono_literals;
namespace q = scalekit::queue;
using namespace scalekit::queue::detail;
using scalekit::queue::dead_letter;
using scalekit::queue::job_id;
using scalekit::queue::job_status;
using scalekit::queue::lease;
using scalekit::queue::queue_stats;

namespace {

/// The real engine, with faults.
class faulty_engine final : public engine {
 public:
  explicit faulty_engine(const db::client& db) : real_(make_engine(db, "sk_", 5s)) {}

  std::atomic<bool> away{false};
  /// The ending of this job cannot be recorded.
  std::atomic<job_id> cursed{0};
  std::atomic<int> refused{0};

  turn_result turn(const turn_request& request) override {
    fail_if_away();
    for (const auto& s : request.settle) {
      if (s.held.job != cursed) continue;
      ++refused;
      throw error(errc::constraint_violation, "cursed");
    }
    return real_->turn(request);
  }
  bool beat(const worker_identity& who, wall_time now) override {
    fail_if_away();
    return real_->beat(who, now);
  }
  queue_glance glance(std::span<const std::string> queues,
                      std::span<const std::string> kinds) override {
    fail_if_away();
    return real_->glance(queues, kinds);
  }

  void migrate() override { real_->migrate(); }
  std::vector<job_id> enqueue(db::transaction* tx, std::span<const new_job> jobs,
                              std::stop_token stop) override {
    return real_->enqueue(tx, jobs, stop);
  }
  worker_identity enlist(std::int64_t nonce, std::chrono::microseconds stale_after,
                         wall_time now) override {
    return real_->enlist(nonce, stale_after, now);
  }
  void leave(const worker_identity& who) override { real_->leave(who); }
  std::vector<worker_sighting> workers() override { return real_->workers(); }
  bool evict(const worker_sighting& dead) override { return real_->evict(dead); }
  std::vector<orphan> orphans(std::size_t most) override { return real_->orphans(most); }
  bool holds(const lease& l) override { return real_->holds(l); }
  bool complete_in(db::transaction& tx, const lease& l) override {
    return real_->complete_in(tx, l);
  }
  std::optional<job_status> status(job_id id, std::stop_token stop) override {
    return real_->status(id, stop);
  }
  queue_stats stats(wall_time now, std::stop_token stop) override {
    return real_->stats(now, stop);
  }
  std::vector<dead_letter> dead_letters(std::size_t limit, job_id after,
                                        std::stop_token stop) override {
    return real_->dead_letters(limit, after, stop);
  }
  bool redrive(job_id id, std::int64_t key, std::stop_token stop) override {
    return real_->redrive(id, key, stop);
  }
  bool delete_dead_letter(job_id id, std::stop_token stop) override {
    return real_->delete_dead_letter(id, stop);
  }

 private:
  void fail_if_away() const {
    if (away) throw error(errc::unavailable, "the database is away");
  }

  std::unique_ptr<engine> real_;
};

std::string line_of(const log_record& r) {
  std::string line = std::string(r.event) + ": " + std::string(r.message);
  for (const auto& [name, value] : r.fields) {
    line.append(", ").append(name).append("=").append(value);
  }
  return line;
}

struct faulty_worker : worker_fixture {
  std::shared_ptr<faulty_engine> engine = std::make_shared<faulty_engine>(db);
  std::shared_ptr<queue_state> state = std::make_shared<queue_state>();
  journal log;
  /// The same with all that was said.
  journal lines;
  std::unique_ptr<worker_shell> shell;

  explicit faulty_worker(q::worker_params params = quick()) {
    state->params.clock = &clock;
    state->params.log = log_sink([this](const log_record& r) {
      log.add(std::string(r.event));
      lines.add(line_of(r));
    });
    state->store = engine;
    shell = std::make_unique<worker_shell>(state, params);
  }
  ~faulty_worker() { shell->stop(0ms); }

  bool has_logged(std::string_view event) const {
    const auto entries = log.entries();
    return std::find(entries.begin(), entries.end(), event) != entries.end();
  }
};

}  // namespace

TEST_CASE("a job whose ending cannot be recorded hinders no other, and is tried again") {
  faulty_worker f;
  f.shell->add("k", [](q::attempt&) { return q::outcome::done(); }, {});
  std::vector<q::job_request> requests(100, {.kind = "k", .payload = ""});
  const auto ids = f.jobs.enqueue_many(requests);
  f.engine->cursed = ids[42];

  f.shell->start();

  CHECK(eventually([&] { return f.jobs.stats().ready == 0 && f.jobs.stats().running == 1; }));
  CHECK(f.jobs.status(ids[42])->state == q::job_state::running);
  CHECK(f.jobs.status(ids[41])->state == q::job_state::finished);
  CHECK(f.jobs.status(ids[99])->state == q::job_state::finished);
  CHECK(eventually([&] { return f.has_logged("queue.job.stuck"); }));

  f.engine->cursed = 0;
  CHECK(eventually([&] { return f.drained(); }));
}

TEST_CASE("endings wait for a database that is away, and nothing is run twice") {
  faulty_worker f;
  gate door;
  std::atomic<int> runs{0};
  f.shell->add("k",
               [&](q::attempt&) {
                 ++runs;
                 door.pass();
                 return q::outcome::done();
               },
               {});
  for (int i = 0; i < 4; ++i) f.jobs.enqueue("k", "");
  f.shell->start();
  REQUIRE(eventually([&] { return door.waiting() == 4; }));

  f.engine->away = true;
  door.open();
  REQUIRE(eventually([&] { return f.has_logged("queue.database.failing"); }));
  CHECK(f.jobs.stats().running == 4);
  f.engine->away = false;

  CHECK(eventually([&] { return f.drained(); }));
  CHECK(runs == 4);
  CHECK(eventually([&] { return f.has_logged("queue.database.well"); }));
}

TEST_CASE("a worker that cannot beat stops claiming, then its handlers, before others take over") {
  faulty_worker f;
  std::atomic<bool> told{false};
  std::atomic<bool> started{false};
  f.shell->add("long",
               [&](q::attempt& a) {
                 started = true;
                 told = eventually([&] { return a.stop_token().stop_requested(); });
                 if (f.engine->away) throw std::runtime_error("stopped half way");
                 return q::outcome::done();
               },
               {});
  const auto id = f.jobs.enqueue("long", "", {.max_attempts = 1});
  f.shell->start();
  REQUIRE(eventually([&] { return started.load(); }));

  f.engine->away = true;
  REQUIRE(eventually([&] { return told.load(); }));
  const auto late = f.jobs.enqueue("long", "");
  CHECK(f.has_logged("queue.worker.heartbeat_failed"));
  CHECK(f.jobs.status(late)->state == q::job_state::ready);

  // The database is back: it was an interruption, and no attempt is burnt.
  f.engine->away = false;
  CHECK(eventually([&] { return f.jobs.status(id)->interruptions > 0 || f.drained(); }));
  f.shell->stop(0ms);
  CHECK(f.jobs.dead_letters().empty());
  CHECK(f.jobs.status(id)->errors == 0);
}

TEST_CASE("a worker that was taken for dead says so, and begins anew") {
  faulty_worker f;
  std::atomic<int> runs{0};
  std::atomic<bool> told{false};
  f.shell->add("k",
               [&](q::attempt& a) {
                 if (++runs > 1) return q::outcome::done();
                 told = eventually([&] { return a.stop_token().stop_requested(); });
                 // Had it ended before its rescue, it would have counted.
                 eventually([&] { return f.has_logged("queue.jobs.rescued"); });
                 return q::outcome::done();
               },
               {});
  const auto id = f.jobs.enqueue("k", "");
  f.shell->start();
  REQUIRE(eventually([&] { return runs == 1; }));

  REQUIRE(eventually([&] {
    for (const auto& w : f.engine->workers()) f.engine->evict(w);
    return f.has_logged("queue.worker.evicted");
  }));

  CHECK(eventually([&] { return told && f.jobs.status(id)->state == q::job_state::finished; }));
  CHECK(runs >= 2);
  CHECK(f.has_logged("queue.jobs.rescued"));
  CHECK(eventually([&] { return f.jobs.stats().workers == 1; }));
}

TEST_CASE("a dead letter is logged, without its payload") {
  faulty_worker f;
  f.shell->add("k", [](q::attempt&) { return q::bury("malformed"); }, {});
  const auto id = f.jobs.enqueue("k", "secret");

  f.shell->start();
  REQUIRE(eventually([&] { return f.has_logged("queue.job.dead"); }));
  f.shell->stop(0ms);

  std::vector<std::string> dead;
  for (const auto& line : f.lines.entries()) {
    CHECK(line.find("secret") == std::string::npos);
    if (line.starts_with("queue.job.dead")) dead.push_back(line);
  }
  CHECK(dead == std::vector{"queue.job.dead: a job was given up; see queue::dead_letters(), job=" +
                            std::to_string(id) + ", kind=k, errors=1"});
}
