#include "scalekit/limit.hpp"
#include "scalekit/testing/manual_clock.hpp"
#include "support/sanitizer.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace limit = scalekit::limit;
using scalekit::testing::manual_clock;
using namespace std::chrono_literals;

namespace {

constexpr auto flood_size = support::fewer_under_sanitizer<std::uint64_t>(3'000'000);

constexpr std::uint64_t first_stranger = 1'000'000;

limit::limiter make_limiter(std::uint64_t burst, const manual_clock& clock) {
  return limit::limiter(
      {.rules = {{.name = "user", .by = {"user"}, .limit = burst, .per = 1h, .max_keys = 10'000}}},
      clock);
}

}  // namespace

TEST_CASE("a flood of new keys takes no memory and frees no limited key") {
  manual_clock clock;
  auto limiter = make_limiter(10, clock);
  auto memory = limiter.memory_bytes();
  for (std::uint64_t user = 0; user < 100; ++user) limiter.check({limit::user(user)}, 10);

  for (std::uint64_t i = 0; i < flood_size; ++i) limiter.check({limit::user(first_stranger + i)});

  CHECK(memory < 300'000);
  CHECK(limiter.memory_bytes() == memory);
  CHECK(limiter.stats().forgotten_keys > flood_size / 2);
  for (std::uint64_t user = 0; user < 100; ++user) {
    CHECK_FALSE(limiter.check({limit::user(user)}).allowed());
  }
}

TEST_CASE("when every cell is limited, new keys share what little there is") {
  manual_clock clock;
  auto limiter = make_limiter(1, clock);
  std::uint64_t admitted = 0;

  for (std::uint64_t i = 0; i < flood_size; ++i) {
    admitted += limiter.check({limit::user(first_stranger + i)}).allowed() ? 1u : 0u;
  }

  // A call for each of the cells, and one for the shared cell of each set.
  CHECK(admitted <= 10'003u + 10'003u / 7);
  CHECK(limiter.stats().forgotten_keys == 0);
  CHECK(limiter.stats().overflowed > 0);
  clock.advance(1h);
  CHECK(limiter.check({limit::user("newcomer")}).allowed());
}

TEST_CASE("threads that flood and threads that are limited do not disturb each other") {
  manual_clock clock;
  auto limiter = make_limiter(8, clock);
  std::atomic<int> admitted{0};
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        for (std::uint64_t i = 0; i < flood_size / 10; ++i) {
          limiter.check({limit::user(first_stranger * (t + 1) + i)});
        }
      });
      threads.emplace_back([&] {
        for (int i = 0; i < 20'000; ++i)
          admitted += limiter.check({limit::user("one")}, 4).allowed();
      });
    }
  }

  CHECK(admitted == 2);
}
