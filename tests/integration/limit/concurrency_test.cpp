#include "scalekit/limit.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <string>
#include <thread>
#include <vector>

namespace limit = scalekit::limit;
using scalekit::testing::manual_clock;
using namespace std::chrono_literals;

namespace {

/// Runs `body(thread)` on `count` threads that begin together.
template <class Body>
void together(int count, Body body) {
  std::barrier start(count);
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
}

}  // namespace

TEST_CASE("of many threads on one key exactly the budget is admitted") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "user", .by = {"user"}, .limit = 100, .per = 1h}}},
                         clock);
  std::atomic<int> admitted{0};

  together(8, [&](int) {
    for (int i = 0; i < 200; ++i) admitted += limiter.check({limit::user(1)}).allowed();
  });

  CHECK(admitted == 100);
}

TEST_CASE("calls over several rules, crossing in every order, admit exactly the common budget") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "ip", .by = {"ip"}, .limit = 300, .per = 1h},
                                    {.name = "user", .by = {"user"}, .limit = 50, .per = 1h},
                                    {.name = "all", .limit = 120, .per = 1h}}},
                         clock);
  std::atomic<int> admitted{0};

  together(8, [&](int thread) {
    for (int i = 0; i < 200; ++i) {
      auto who = (thread + i) % 4;
      admitted += limiter.check({limit::user(who), limit::ip("192.0.2.1")}).allowed();
    }
  });

  CHECK(admitted == 120);
}

TEST_CASE("refusals under one rule leave the budget of another to those it is meant for") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "user", .by = {"user"}, .limit = 10, .per = 1h},
                                    {.name = "all", .limit = 100, .per = 1h}}},
                         clock);
  std::atomic<int> abuser{0};
  std::atomic<int> others{0};

  together(8, [&](int thread) {
    for (int i = 0; i < 300; ++i) {
      // Half the threads hammer as one user; the others are 45 users with two calls each.
      if (thread % 2 == 0) {
        abuser += limiter.check({limit::user("abuser")}).allowed();
      } else if (int call = thread / 2 * 300 + i; call < 90) {
        others += limiter.check({limit::user(call % 45)}).allowed();
      }
    }
  });

  CHECK(abuser == 10);
  CHECK(others == 90);
}

TEST_CASE("single and combined calls on one key, with time moving, never exceed burst and refill") {
  manual_clock clock;
  limit::limiter limiter({.rules = {{.name = "user", .by = {"user"}, .limit = 1000, .per = 1s},
                                    {.name = "ip", .by = {"ip"}, .limit = 1'000'000, .per = 1s}}},
                         clock);
  std::atomic<int> admitted{0};

  together(4, [&](int thread) {
    for (int i = 0; i < 5000; ++i) {
      if (thread == 0) clock.advance(100us);
      bool combined = (thread + i) % 3 == 0;
      auto d = combined ? limiter.check({limit::user(1), limit::ip("192.0.2.1")})
                        : limiter.check({limit::user(1)});
      admitted += d.allowed();
    }
  });

  // 500 ms have passed in all.
  CHECK(admitted >= 1000);
  CHECK(admitted <= 1500);
}
