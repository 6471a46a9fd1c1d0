// Workers that are killed, and workers that stand still.

#include "integration/queue/worker_fixture.hpp"
#include "scalekit/core/error.hpp"
#ifdef QUEUE_TEST_ON_POSTGRES
#include "integration/queue/postgres_test_database.hpp"
#endif

#include <algorithm>
#include <random>
#include <set>
#include <signal.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <tuple>
#include <unistd.h>
#include <vector>

using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;
namespace q = scalekit::queue;

namespace {

/// A process of queue_chaos_worker; killed with this object.
class worker_process {
 public:
  worker_process(const std::string& url, int max_crashes) {
    std::string program = QUEUE_CHAOS_WORKER;
    std::string database = url;
    std::string crashes = std::to_string(max_crashes);
    char* const argv[] = {program.data(), database.data(), crashes.data(), nullptr};
    REQUIRE(posix_spawn(&pid_, program.c_str(), nullptr, nullptr, argv, environ) == 0);
  }
  ~worker_process() { kill_hard(); }
  worker_process(const worker_process&) = delete;
  worker_process& operator=(const worker_process&) = delete;

  pid_t pid() const { return pid_; }
  void send(int signal) const { ::kill(pid_, signal); }

  void kill_hard() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  /// True once the process has ended by itself.
  bool has_ended() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
    return pid_ <= 0;
  }

 private:
  pid_t pid_ = -1;
};

/// Stops a process at a moment in which it holds no lock: there is no defence against one that
/// does.
void stand_still(const worker_process& p, db::client& db) {
#ifdef QUEUE_TEST_ON_POSTGRES
  const auto in_transaction =
      sql("select count(*) from pg_stat_activity where datname = current_database() "
          "and pid <> pg_backend_pid() and state <> 'idle'");
  for (;;) {
    p.send(SIGSTOP);
    // What the server still runs ends by itself; what waits for the process does not.
    const auto quiet = std::chrono::steady_clock::now() + 500ms;
    while (std::chrono::steady_clock::now() < quiet) {
      if (db.read_one<int>(in_transaction, {.consistency = db::consistency::primary()}) == 0)
        return;
    }
    p.send(SIGCONT);
  }
#else
  for (;;) {
    p.send(SIGSTOP);
    try {
      db.write(sql("delete from door"));
      return;
    } catch (const error&) {
      p.send(SIGCONT);
    }
  }
#endif
}

struct shop {
  test_database file;
  db::client db = db::client::open(file.url());
  q::queue jobs{db};

  shop() {
    jobs.migrate();
    db.run_script(
        "create table effect (job integer not null, pid integer not null);"
        "create table holding (job integer not null, pid integer not null);"
        "create table refused (job integer not null, pid integer not null);"
        "create table door (open integer not null);");
  }

  int count(std::string table) {
    return db.read_one<int>(db::unsafe_sql("select count(*) from " + table));
  }
  bool drained() {
    const auto s = jobs.stats();
    return s.ready + s.scheduled + s.running == 0;
  }
  /// Every one of `ids` left exactly one effect, and nothing else left any.
  void check_effects(const std::vector<q::job_id>& ids) {
    const auto rows = db.read<q::job_id>(sql("select job from effect"));
    CHECK(rows.size() == ids.size());
    CHECK(std::set<q::job_id>(rows.begin(), rows.end()) ==
          std::set<q::job_id>(ids.begin(), ids.end()));
  }
};

}  // namespace

TEST_CASE("workers killed under load lose no job and repeat no effect") {
  shop s;
  std::vector<std::unique_ptr<worker_process>> workers;
  for (int i = 0; i < 2; ++i) {
    workers.push_back(std::make_unique<worker_process>(s.file.url(), 1000));
  }
  std::mt19937 random(4711);
  std::vector<q::job_id> acknowledged;

  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 50; ++i) acknowledged.push_back(s.jobs.enqueue("effect", "x"));
    const auto done = static_cast<int>(acknowledged.size()) - 40;
    REQUIRE(eventually([&] { return s.count("effect") >= done; }));
    auto& victim = workers[random() % workers.size()];
    victim->kill_hard();
    victim = std::make_unique<worker_process>(s.file.url(), 1000);
  }

  CHECK(eventually([&] { return s.drained(); }));
  s.check_effects(acknowledged);
  CHECK(s.jobs.dead_letters().empty());
}

TEST_CASE("a job that kills its workers is given up, and takes no other with it") {
  shop s;
  std::vector<q::job_id> harmless;
  for (int i = 0; i < 20; ++i) harmless.push_back(s.jobs.enqueue("effect", ""));
  const auto poison = s.jobs.enqueue("poison", "", {.priority = q::high});
  for (int i = 0; i < 20; ++i) harmless.push_back(s.jobs.enqueue("effect", ""));

  auto worker = std::make_unique<worker_process>(s.file.url(), 3);
  CHECK(eventually([&] {
    if (worker->has_ended()) worker = std::make_unique<worker_process>(s.file.url(), 3);
    return s.drained();
  }));

  s.check_effects(harmless);
  const auto letters = s.jobs.dead_letters();
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].id == poison);
  CHECK(letters[0].crashes == 3);
  CHECK(letters[0].errors == 0);
}

TEST_CASE("a dead worker's job is run by another one") {
  shop s;
  const auto id = s.jobs.enqueue("hold", "");
  worker_process first(s.file.url(), 3);
  REQUIRE(eventually([&] { return s.count("holding") == 1; }));
  worker_process second(s.file.url(), 3);

  first.kill_hard();

  CHECK(eventually([&] { return s.jobs.status(id)->state == q::job_state::finished; }));
  s.check_effects({id});
  const auto who = s.db.read_one<int>(sql("select pid from effect"));
  CHECK(who == second.pid());
}

TEST_CASE("a worker that stood still while its job went to another cannot finish it") {
  shop s;
  const auto id = s.jobs.enqueue("hold", "");
  worker_process zombie(s.file.url(), 3);
  REQUIRE(eventually([&] { return s.count("holding") == 1; }));

  stand_still(zombie, s.db);
  auto heir = std::make_unique<worker_process>(s.file.url(), 3);
  REQUIRE(eventually([&] { return s.jobs.status(id)->state == q::job_state::finished; }));
  s.db.write(sql("insert into door (open) values (1)"));
  zombie.send(SIGCONT);

  CHECK(eventually([&] { return s.count("refused") == 1; }));
  s.check_effects({id});
  CHECK(s.db.read_one<int>(sql("select pid from refused")) == zombie.pid());

  // It knows that it was taken for dead, and is a worker again.
  heir.reset();
  const auto next = s.jobs.enqueue("effect", "");
  CHECK(eventually([&] { return s.jobs.status(next)->state == q::job_state::finished; }));
  CHECK(s.db.read_one<int>(sql("select pid from effect where job = $1", next)) == zombie.pid());
}

#ifdef QUEUE_TEST_ON_POSTGRES
TEST_CASE("a server killed under load loses no acknowledged job and repeats no effect") {
  shop s;
  worker_process one(s.file.url(), 1000);
  worker_process two(s.file.url(), 1000);
  auto& server = postgres_test_database::server();
  std::set<q::job_id> acknowledged;

  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 100; ++i) {
      try {
        acknowledged.insert(s.jobs.enqueue("effect", "x"));
      } catch (const error&) {
        // The server has just come back. It may be stored all the same.
      }
    }
    if (round == 3) break;
    server.kill9();
    server.start();
  }

  CHECK(acknowledged.size() > 100);
  CHECK(eventually([&] {
    try {
      return s.drained();
    } catch (const error&) {
      return false;
    }
  }));
  const auto rows = s.db.read<q::job_id>(sql("select job from effect"));
  const std::set<q::job_id> done(rows.begin(), rows.end());
  CHECK(done.size() == rows.size());
  CHECK(std::includes(done.begin(), done.end(), acknowledged.begin(), acknowledged.end()));
  CHECK(s.jobs.dead_letters().empty());
}
#endif
