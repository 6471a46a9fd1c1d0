#include "scalekit/core/circuit_breaker.hpp"

#include "core/breaker_machine.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using scalekit::breaker_outcome;
using scalekit::breaker_state;
using scalekit::breaker_transition;
using scalekit::circuit_breaker;
using scalekit::circuit_breaker_params;
using scalekit::errc;
using scalekit::testing::manual_clock;

namespace {

/// Opens after 3 failures in a row, for 1 s, then 2 s, then 4 s.
circuit_breaker_params simple() {
  return {.name = "redis 10.0.0.9",
          .consecutive_failures = 3,
          .failure_ratio = 0,
          .probe_deadline = 5s};
}

void fail(circuit_breaker& breaker, int times) {
  for (int i = 0; i < times; ++i) breaker.acquire().failure();
}

void succeed(circuit_breaker& breaker, int times) {
  for (int i = 0; i < times; ++i) breaker.acquire().success();
}

}  // namespace

TEST_CASE("a closed breaker admits every call") {
  circuit_breaker breaker;

  for (int i = 0; i < 100; ++i) CHECK(breaker.try_acquire());

  CHECK(breaker.state() == breaker_state::closed);
  CHECK(breaker.retry_after() == 0s);
}

TEST_CASE("failures in a row open it, failures with a success between do not") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);

  fail(breaker, 2);
  succeed(breaker, 1);
  fail(breaker, 2);
  CHECK(breaker.state() == breaker_state::closed);
  fail(breaker, 1);

  CHECK(breaker.state() == breaker_state::open);
  CHECK_FALSE(breaker.try_acquire());
}

TEST_CASE("the error of an open breaker names the dependency, the reason and the next try") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);
  fail(breaker, 3);
  clock.advance(400ms);

  CHECK(breaker.retry_after() == 600ms);
  try {
    breaker.acquire();
    FAIL("must throw");
  } catch (const scalekit::error& e) {
    CHECK(e.code() == errc::breaker_open);
    CHECK(e.diag().client_message ==
          "redis 10.0.0.9 is left alone after 3 failures in a row; next try in 600 ms");
  }
}

TEST_CASE("a share of failures opens it once there were enough calls") {
  manual_clock clock;
  auto params = simple();
  params.consecutive_failures = 0;
  params.failure_ratio = 0.5;
  params.min_throughput = 10;
  params.window = 10s;
  circuit_breaker breaker(params, clock);

  for (int i = 0; i < 4; ++i) {
    succeed(breaker, 1);
    fail(breaker, 1);
  }
  CHECK(breaker.state() == breaker_state::closed);  // half of 8, which is too few
  succeed(breaker, 1);
  fail(breaker, 1);

  CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("failures that have left the window no longer count") {
  manual_clock clock;
  auto params = simple();
  params.consecutive_failures = 0;
  params.failure_ratio = 0.5;
  params.min_throughput = 4;
  params.window = 10s;
  circuit_breaker breaker(params, clock);

  fail(breaker, 3);
  clock.advance(11s);
  fail(breaker, 3);
  CHECK(breaker.state() == breaker_state::closed);
  clock.advance(8s);
  fail(breaker, 1);

  CHECK(breaker.state() == breaker_state::open);
}

TEST_CASE("after the pause one probe is admitted, and its success closes") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);
  fail(breaker, 3);

  clock.advance(999ms);
  CHECK_FALSE(breaker.try_acquire());
  clock.advance(1ms);
  auto probe = breaker.try_acquire();
  REQUIRE(probe);
  CHECK(breaker.state() == breaker_state::half_open);
  CHECK_FALSE(breaker.try_acquire());
  CHECK(breaker.retry_after() == 5s);
  probe->success();

  CHECK(breaker.state() == breaker_state::closed);
  fail(breaker, 2);  // counted from zero
  CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("each probe that fails in a row doubles the pause, and closing resets it") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);
  fail(breaker, 3);

  for (auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
    CHECK(breaker.retry_after() == pause);
    clock.advance(pause);
    fail(breaker, 1);
  }
  clock.advance(30s);
  succeed(breaker, 1);
  fail(breaker, 3);

  CHECK(breaker.retry_after() == 1s);
}

TEST_CASE("exactly as many probes are admitted as configured, the first included") {
  manual_clock clock;
  auto params = simple();
  params.probes = 3;
  circuit_breaker breaker(params, clock);
  fail(breaker, 3);
  clock.advance(1s);

  std::vector<circuit_breaker::permit> probes;
  while (auto probe = breaker.try_acquire()) probes.push_back(*std::move(probe));
  REQUIRE(probes.size() == 3);
  probes[0].success();
  probes[1].success();
  CHECK(breaker.state() == breaker_state::half_open);
  CHECK_FALSE(breaker.try_acquire());  // two successes and one still out
  probes[2].success();

  CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("while the last probe is out, the others having succeeded, there is a wait to tell") {
  manual_clock clock;
  auto params = simple();
  params.probes = 2;
  circuit_breaker breaker(params, clock);
  fail(breaker, 3);
  clock.advance(1s);

  breaker.acquire().success();
  const auto last = breaker.acquire();

  CHECK_FALSE(breaker.try_acquire());
  CHECK(breaker.retry_after() == 5s);
}

TEST_CASE("one failed probe of several opens again at once, and the others count no more") {
  manual_clock clock;
  auto params = simple();
  params.probes = 2;
  circuit_breaker breaker(params, clock);
  fail(breaker, 3);
  clock.advance(1s);
  auto first = breaker.acquire();
  auto second = breaker.acquire();

  first.failure();
  second.success();

  CHECK(breaker.state() == breaker_state::open);
  CHECK(breaker.retry_after() == 2s);
}

TEST_CASE("a probe that never reports fails at its deadline: half open cannot be stuck") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);
  fail(breaker, 3);
  clock.advance(1s);
  auto hung = breaker.try_acquire();

  clock.advance(5s);
  CHECK(breaker.state() == breaker_state::open);
  CHECK(breaker.retry_after() == 2s);
  clock.advance(2s);
  auto next = breaker.try_acquire();
  REQUIRE(next);
  hung->success();  // of an older half-open phase
  CHECK(breaker.state() == breaker_state::half_open);
  next->success();

  CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("a call long after a silent probe is a new probe: the pause ran from the deadline") {
  manual_clock clock;
  std::vector<breaker_transition> seen;
  auto params = simple();
  params.on_change = [&](const breaker_transition& change) { seen.push_back(change); };
  circuit_breaker breaker(params, clock);
  fail(breaker, 3);
  clock.advance(1s);
  auto hung = breaker.try_acquire();
  seen.clear();

  clock.advance(1h);
  auto probe = breaker.try_acquire();

  CHECK(probe);
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].from == breaker_state::half_open);
  CHECK(seen[0].to == breaker_state::open);
  CHECK(seen[1].to == breaker_state::half_open);
  CHECK(seen[1].generation == seen[0].generation + 1);
}

TEST_CASE("a dropped or ignored probe frees its place, and says nothing") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);
  fail(breaker, 3);
  clock.advance(1s);

  { auto dropped = breaker.acquire(); }
  CHECK(breaker.state() == breaker_state::half_open);
  breaker.acquire().report(breaker_outcome::ignored);
  auto replaced = breaker.acquire();
  CHECK_FALSE(breaker.try_acquire());
  replaced.success();

  CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("results of calls sent before it opened neither close nor open it") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);
  auto slow_success = breaker.acquire();
  auto slow_failure = breaker.acquire();
  auto slower_failure = breaker.acquire();
  fail(breaker, 3);

  slow_success.success();
  CHECK(breaker.state() == breaker_state::open);
  clock.advance(1s);
  auto probe = breaker.acquire();
  slow_failure.failure();
  CHECK(breaker.state() == breaker_state::half_open);
  probe.success();
  fail(breaker, 2);
  slower_failure.failure();  // would be the third

  CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("a time read before the lock was waited for moves nothing back") {
  using scalekit::detail::breaker_machine;
  const auto t0 = scalekit::time_point{} + 1h;
  breaker_machine machine(simple());
  for (int i = 0; i < 3; ++i)
    machine.report(*machine.admit(t0, 0), breaker_outcome::failure, t0, 0);
  const auto probe = machine.admit(t0 + 1s, 0);
  REQUIRE(probe);

  machine.report(*probe, breaker_outcome::failure, t0 - 30min, 0);

  CHECK(machine.next_admission(t0 + 1s) == t0 + 3s);
  CHECK_FALSE(machine.admit(t0 - 30min, 0));
  CHECK(machine.take_changes().items.back().generation == machine.generation());
}

TEST_CASE("only the first report of a permit counts") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);
  auto permit = breaker.acquire();

  for (int i = 0; i < 5; ++i) permit.failure();

  CHECK(breaker.state() == breaker_state::closed);
}

TEST_CASE("assigning over a permit reports it as ignored") {
  manual_clock clock;
  circuit_breaker breaker(simple(), clock);
  fail(breaker, 3);
  clock.advance(1s);
  circuit_breaker other({}, clock);
  auto permit = breaker.acquire();

  permit = other.acquire();

  CHECK(breaker.try_acquire());
}

TEST_CASE("a permit may outlive its breaker") {
  auto breaker = std::make_unique<circuit_breaker>();
  auto permit = breaker->acquire();

  breaker.reset();

  permit.failure();
}

TEST_CASE("a callback may use the breaker: it runs outside the lock") {
  manual_clock clock;
  circuit_breaker* self = nullptr;
  int admitted_inside = 0;
  auto params = simple();
  params.on_change = [&](const breaker_transition&) {
    if (self->try_acquire()) ++admitted_inside;
    throw std::runtime_error("a callback that fails");
  };
  circuit_breaker breaker(params, clock);
  self = &breaker;

  fail(breaker, 3);
  clock.advance(1s);
  succeed(breaker, 1);

  CHECK(breaker.state() == breaker_state::closed);
  CHECK(admitted_inside == 1);  // at closing; the probe's place was taken at half open
}

TEST_CASE("each change is logged with the breaker's name") {
  manual_clock clock;
  std::vector<std::string> lines;
  auto params = simple();
  params.log = scalekit::log_sink(
      [&](const scalekit::log_record& r) {
        lines.push_back(std::string(r.event) + ": " + std::string(r.message) + " [" +
                        std::string(r.fields[0].second) + "]");
      },
      scalekit::log_level::debug);
  circuit_breaker breaker(params, clock);

  fail(breaker, 3);
  clock.advance(1s);
  fail(breaker, 1);
  clock.advance(2s);
  auto silent = breaker.acquire();
  clock.advance(5s);
  (void)breaker.state();
  clock.advance(4s);
  succeed(breaker, 1);

  const std::vector<std::string> expected{
      "core.breaker.opened: redis 10.0.0.9 is left alone after 3 failures in a row "
      "[redis 10.0.0.9]",
      "core.breaker.half_open: redis 10.0.0.9 is tried again [redis 10.0.0.9]",
      "core.breaker.opened: redis 10.0.0.9 is left alone after a failed probe [redis 10.0.0.9]",
      "core.breaker.half_open: redis 10.0.0.9 is tried again [redis 10.0.0.9]",
      "core.breaker.opened: redis 10.0.0.9 is left alone after a probe that did not answer in "
      "time [redis 10.0.0.9]",
      "core.breaker.half_open: redis 10.0.0.9 is tried again [redis 10.0.0.9]",
      "core.breaker.closed: redis 10.0.0.9 works again [redis 10.0.0.9]",
  };
  CHECK(lines == expected);
}

TEST_CASE("what a call's error says about its dependency") {
  struct row {
    errc code;
    breaker_outcome outcome;
  };
  const std::array rows{
      row{errc::unavailable, breaker_outcome::failure},
      row{errc::connection_lost, breaker_outcome::failure},
      row{errc::execution_timeout, breaker_outcome::failure},
      row{errc::disk_full, breaker_outcome::failure},
      row{errc::commit_in_doubt, breaker_outcome::failure},
      row{errc::constraint_violation, breaker_outcome::success},
      row{errc::invalid_statement, breaker_outcome::success},
      row{errc::conflict, breaker_outcome::success},
      row{errc::not_found, breaker_outcome::success},
      row{errc::cancelled, breaker_outcome::ignored},
      row{errc::acquire_timeout, breaker_outcome::ignored},
      row{errc::shed, breaker_outcome::ignored},
      row{errc::breaker_open, breaker_outcome::ignored},
  };

  for (const auto& [code, outcome] : rows) {
    CAPTURE(static_cast<int>(code));
    CHECK(scalekit::outcome_of(code) == outcome);
  }
  CHECK(scalekit::outcome_of({}) == breaker_outcome::success);
  CHECK(scalekit::outcome_of(boost::system::errc::make_error_code(
            boost::system::errc::connection_reset)) == breaker_outcome::failure);
}

TEST_CASE("a breaker's settings out of range are refused") {
  auto rejects = [](circuit_breaker_params params, const char* message) {
    CHECK_THROWS_WITH_AS(circuit_breaker{params}, message, std::invalid_argument);
  };

  rejects({.consecutive_failures = 0, .failure_ratio = 0},
          "circuit_breaker_params.failure_ratio is 0; legal: above 0 when consecutive_failures "
          "is 0, or it would never open");
  rejects({.failure_ratio = 1.5},
          "circuit_breaker_params.failure_ratio is 1.500000; legal: 0.000000 to 1.000000");
  rejects({.probes = 0}, "circuit_breaker_params.probes is 0; legal: 1 to 16");
  rejects({.pause = {.base = 2min}},
          "circuit_breaker_params.pause.cap is 30000 ms; legal: 120000 ms to 2592000000 ms");
}

TEST_CASE("threads that race for the probe get exactly one") {
  manual_clock clock;
  auto params = simple();
  circuit_breaker breaker(params, clock);

  for (int round = 0; round < 50; ++round) {
    fail(breaker, 3);
    clock.advance(1s);
    std::atomic<int> admitted{0};
    std::atomic<int> asked{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        auto permit = breaker.try_acquire();
        if (permit) ++admitted;
        ++asked;
        while (asked < 4) std::this_thread::yield();  // nobody reports before all have asked
        if (permit) permit->success();
      });
    }
    for (auto& thread : threads) thread.join();
    REQUIRE(admitted == 1);
    REQUIRE(breaker.state() == breaker_state::closed);
  }
}

TEST_CASE("threads that report at once leave a consistent breaker") {
  circuit_breaker breaker({.consecutive_failures = 50, .pause = {.base = 1ns}, .seed = 1});

  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        auto permit = breaker.try_acquire();
        if (!permit) continue;
        permit->report(i % 3 == t % 3 ? breaker_outcome::failure : breaker_outcome::success);
      }
    });
  }
  for (auto& thread : threads) thread.join();

  for (int i = 0; i < 5 && breaker.state() != breaker_state::closed; ++i) {
    if (auto permit = breaker.try_acquire()) permit->success();
  }
  CHECK(breaker.state() == breaker_state::closed);
}
