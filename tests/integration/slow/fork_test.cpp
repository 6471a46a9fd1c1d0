#include "scalekit/core/error.hpp"
#include "scalekit/slow.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <source_location>
#include <sys/wait.h>
#include <unistd.h>

using namespace scalekit;
using namespace scalekit::slow;
using namespace std::chrono_literals;

TEST_CASE("in a forked child recording does nothing, and reports say forked") {
  slow::tracker tracker;
  auto known = tracker.statement("select 1", dialect::sqlite);

  const auto child = fork();
  if (child == 0) {
    bool right = !tracker.statement("select 1", dialect::sqlite);
    tracker.record(known, {.execute = 1ms}, 1, outcome::ok, std::source_location::current(), {});
    try {
      tracker.totals();
      right = false;
    } catch (const error& e) {
      right &= e.code() == errc::forked;
    }
    _exit(right ? 0 : 1);
  }

  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(tracker.totals().calls == 0);
}
