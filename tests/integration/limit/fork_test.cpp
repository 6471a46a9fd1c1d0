#include "scalekit/core/error.hpp"
#include "scalekit/limit/limiter.hpp"

#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

namespace limit = scalekit::limit;
using namespace std::chrono_literals;

TEST_CASE("a forked child is told so where it would wait for a lock of its parent") {
  limit::limiter limiter({.rules = {{.name = "ip", .by = {"ip"}, .limit = 10, .per = 1s},
                                    {.name = "user", .by = {"user"}, .limit = 10, .per = 1s}}});

  auto child = fork();
  if (child == 0) {
    try {
      limiter.check({limit::ip("192.0.2.1"), limit::user(1)});
      _exit(1);
    } catch (const scalekit::error& e) {
      _exit(e.code() == scalekit::errc::forked ? 0 : 2);
    }
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);

  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(limiter.check({limit::ip("192.0.2.1"), limit::user(1)}).allowed());
}
