#include "testing/held_call.hpp"

#include "support/throws_errc.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <source_location>
#include <stop_token>
#include <string>

using namespace std::chrono_literals;
using namespace scalekit::testing;
using namespace scalekit::testing::detail;
using scalekit::errc;
using scalekit::time_point;

namespace {

/// The second call that met a fault, at 0 s by both clocks, with a timeout of 10 s.
held_call second_call(fault f) {
  const auto by = std::make_shared<injected>(injected{f, std::source_location::current()});
  by->met = 2;
  const time_point start{};
  return {{by, 2},
          start + f.delay,
          {start + 10s, start + 10s, {}, errc::execution_timeout, "orders.cpp:7"},
          {}};
}

wait_end after(const held_call& held, std::chrono::seconds passed,
               std::chrono::seconds really = 0s) {
  return end_of(held, time_point{} + passed, time_point{} + really);
}

struct outcome {
  std::exception_ptr failure, afterwards;
};

outcome resumed(fault f, wait_end how) {
  outcome got;
  auto held = second_call(f);
  held.go_on = [&](std::exception_ptr failure, std::exception_ptr afterwards) {
    got = {failure, afterwards};
  };
  resume(held, how);
  return got;
}

}  // namespace

TEST_CASE("a delay ends by the database's clock, a hold never by itself") {
  CHECK(after(second_call({.delay = 3s}), 2s) == wait_end::not_yet);
  CHECK(after(second_call({.delay = 3s}), 3s) == wait_end::over);
  CHECK(after(second_call({.delay = 3s}), 0s, 3s) == wait_end::not_yet);
  CHECK(after(second_call({.hold = true}), 9s, 9s) == wait_end::not_yet);
}

TEST_CASE("a wait ends at the timeout of the call, by whichever clock") {
  CHECK(after(second_call({.hold = true}), 10s) == wait_end::late);
  CHECK(after(second_call({.hold = true}), 0s, 10s) == wait_end::late);
  CHECK(after(second_call({.delay = 3s}), 60s) == wait_end::over);
  CHECK(after(second_call({.delay = 11s}), 60s) == wait_end::late);
}

TEST_CASE("a release is for the calls that have met the fault so far") {
  auto held = second_call({.hold = true, .times = 3});

  held.met.by->let_go = 1;
  CHECK(after(held, 0s) == wait_end::not_yet);
  held.met.by->let_go = 2;
  CHECK(after(held, 0s) == wait_end::over);
}

TEST_CASE("the removal of a fault, and a stop, end the wait at once") {
  auto removed = second_call({.delay = 3s});
  removed.met.by->is_removed = true;
  CHECK(after(removed, 0s) == wait_end::over);

  std::stop_source stop;
  auto stopped = second_call({.hold = true});
  stopped.limits.stops = {{}, stop.get_token()};
  CHECK(after(stopped, 0s) == wait_end::not_yet);
  stop.request_stop();
  CHECK(after(stopped, 0s) == wait_end::cancelled);
}

TEST_CASE("a call goes on as its fault wants it") {
  const auto delayed = resumed({.hold = true}, wait_end::over);
  CHECK(delayed.failure == nullptr);
  CHECK(delayed.afterwards == nullptr);

  const auto failed = resumed({.error = errc::shed}, wait_end::over);
  REQUIRE(failed.failure != nullptr);
  CHECK(failed.afterwards == nullptr);
  const auto e = scalekit::to_error(failed.failure);
  CHECK(e.code() == errc::shed);
  CHECK(support::contains(e.what(), "orders.cpp:7: met the fault injected at held_call_test.cpp"));

  const auto made = resumed(
      {.on = call_kind::commit, .error = errc::commit_in_doubt, .is_made = true}, wait_end::over);
  CHECK(made.failure == nullptr);
  REQUIRE(made.afterwards != nullptr);
  CHECK(scalekit::to_error(made.afterwards).code() == errc::commit_in_doubt);
}

TEST_CASE("a call that was late, or stopped, fails with that") {
  const auto late = resumed({.hold = true}, wait_end::late);
  REQUIRE(late.failure != nullptr);
  CHECK(scalekit::to_error(late.failure).code() == errc::execution_timeout);

  const auto stopped = resumed({.error = errc::shed, .hold = true}, wait_end::cancelled);
  REQUIRE(stopped.failure != nullptr);
  CHECK(scalekit::to_error(stopped.failure).code() == errc::cancelled);
}
