// A host's program: links scalekit as its users do, and does one small thing with each room.
#include <scalekit/cache.hpp>
#include <scalekit/core.hpp>
#include <scalekit/db.hpp>
#include <scalekit/limit.hpp>
#include <scalekit/queue.hpp>
#include <scalekit/slow.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>

namespace {

int failures = 0;

void check(const char* room, bool holds) {
  std::printf("%s: %s\n", room, holds ? "works" : "FAILED");
  failures += holds ? 0 : 1;
}

}  // namespace

int main() {
  auto tracker = std::make_shared<scalekit::slow::tracker>();
  auto db = scalekit::db::client::open("sqlite::memory:", {.tracker = tracker});
  check("db", db.read<std::int64_t>(scalekit::db::sql("select 40 + $1", 2)).at(0) == 42);
  check("slow", tracker->top(1, scalekit::slow::top_by::total).size() == 1);

  auto store = scalekit::cache::store::open();
  store.set("answer", 42, scalekit::cache::ttl::reference);
  check("cache", store.get<int>("answer").value == 42);

  scalekit::limit::limiter limiter({.rules = {{.name = "user", .by = {"user"}, .limit = 1}}});
  check("limit", limiter.check({scalekit::limit::user(1)}).allowed() &&
                     !limiter.check({scalekit::limit::user(1)}).allowed());

  scalekit::queue::queue jobs(db);
  jobs.migrate();
  jobs.enqueue("greet", "world");
  check("queue", jobs.stats().ready == 1);
  return failures;
}
