// A worker process for the chaos tests: queue_chaos_worker DATABASE_URL MAX_CRASHES. It runs until
// it is killed. What its handlers did stands in tables.

#include "scalekit/core/error.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/queue.hpp"

#include <chrono>
#include <cstdlib>
#include <signal.h>
#include <stop_token>
#include <thread>
#include <unistd.h>

using namespace scalekit;
using namespace std::chrono_literals;
using db::sql;

namespace {

/// An effect in the job's own database: exactly once.
void record_effect(db::client& shop, queue::attempt& a) {
  shop.transaction([&](db::transaction& tx) {
    tx.write(sql("insert into effect (job, pid) values ($1, $2)", a.id(), ::getpid()));
    a.complete_in(tx);
  });
}

/// The first attempt waits, whatever happens, until the test opens the door; the later ones do not.
void hold(db::client& shop, queue::attempt& a) {
  shop.write(sql("insert into holding (job, pid) values ($1, $2)", a.id(), ::getpid()));
  while (a.number() == 1 && shop.read_one<int>(sql("select count(*) from door")) == 0) {
    std::this_thread::sleep_for(5ms);
  }
  try {
    record_effect(shop, a);
  } catch (const error& e) {
    if (e.code() != errc::lease_lost) throw;
    shop.write(sql("insert into refused (job, pid) values ($1, $2)", a.id(), ::getpid()));
    throw;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto shop = db::client::open(argv[1]);
  queue::queue jobs(shop);
  queue::worker w(jobs, {.concurrency = 4,
                         .retry = {.base = 0s, .cap = 0s},
                         .max_crashes = std::atoi(argv[2]),
                         .heartbeat_interval = 100ms,
                         .stale_after = 1s,
                         .poll_least = 5ms,
                         .poll_most = 20ms});
  w.on("effect", [&](queue::attempt& a) {
    std::this_thread::sleep_for(1ms);
    record_effect(shop, a);
  });
  w.on("hold", [&](queue::attempt& a) { hold(shop, a); });
  w.on("poison", [](queue::attempt&) { ::kill(::getpid(), SIGKILL); });
  w.run();
  return 0;
}
