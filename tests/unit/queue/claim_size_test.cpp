#include "queue/claim_size.hpp"

#include <doctest/doctest.h>

#include <vector>

using namespace scalekit::queue::detail;
using namespace std::chrono_literals;

TEST_CASE("how many jobs a worker claims") {
  struct row {
    workload load;
    std::size_t claim;
  };
  const auto w = [](std::size_t running, std::size_t buffered, std::size_t unsettled,
                    std::optional<std::chrono::nanoseconds> service) {
    return workload{.concurrency = 8,
                    .max_batch = 256,
                    .running = running,
                    .buffered = buffered,
                    .unsettled = unsettled,
                    .service_time = service};
  };
  const std::vector<row> table{
      // Nothing known yet: one for each thread.
      {w(0, 0, 0, {}), 8},
      {w(3, 0, 0, {}), 5},
      {w(8, 0, 0, {}), 0},
      // Slow handlers: nothing ahead.
      {w(0, 0, 0, 1s), 8},
      {w(7, 0, 0, 1s), 1},
      {w(8, 0, 0, 1s), 0},
      // 10 ms: 8 threads need 40 for 50 ms.
      {w(8, 0, 0, 10ms), 40},
      {w(8, 20, 0, 10ms), 20},
      {w(8, 21, 0, 10ms), 0},
      // No-ops: as many as a batch may have.
      {w(8, 0, 0, 1us), 256},
      {w(8, 256, 0, 1us), 256},
      {w(8, 257, 0, 1us), 0},
      // Endings that cannot be recorded.
      {w(0, 0, 1024, 1us), 0},
      {w(0, 0, 1023, 1us), 256},
  };

  for (std::size_t i = 0; i < table.size(); ++i) {
    CAPTURE(i);
    CHECK(claim_size(table[i].load) == table[i].claim);
  }
}

TEST_CASE("a service time of nothing is no division by zero") {
  CHECK(claim_size({.concurrency = 1, .max_batch = 4, .service_time = 0ns}) == 4);
}

TEST_CASE("the service time follows what handlers take, smoothed") {
  CHECK(smoothed({}, 8ms) == 8ms);
  CHECK(smoothed(8ms, 4ms) == 7ms);
  CHECK(smoothed(4ms, 8ms) == 5ms);
}

TEST_CASE("behind handlers that turned out slow nothing is claimed ahead") {
  for (const std::size_t concurrency : {1U, 8U, 1024U}) {
    CHECK(prefetch_target({.concurrency = concurrency,
                           .max_batch = 4096,
                           .service_time = slow_service(concurrency)}) == 0);
  }
}
