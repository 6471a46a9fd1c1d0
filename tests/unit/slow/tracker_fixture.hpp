#pragma once

#include "recorded_log.hpp"
#include "scalekit/slow/fingerprint.hpp"
#include "scalekit/slow/tracker.hpp"
#include "scalekit/testing/manual_clock.hpp"

#include <chrono>
#include <cstdint>
#include <source_location>
#include <string_view>
#include <utility>

namespace slow_test {

using namespace scalekit;
using namespace scalekit::slow;
using namespace std::chrono_literals;

inline constexpr auto lite = dialect::sqlite;
inline const request_scope no_scope;

/// A tracker on a clock of its own, and short forms of its calls.
struct tracker_fixture {
  testing::manual_clock time;
  recorded_log log;
  slow::tracker tracker;

  explicit tracker_fixture(tracker_params params = {}) : tracker(with(std::move(params))) {}

  tracker_params with(tracker_params params) {
    params.time = &time;
    params.log = log.sink();
    return params;
  }

  void call(std::string_view sql, const call_times& times = {.execute = 1ms},
            std::uint64_t rows = 1, outcome how = outcome::ok,
            const std::source_location& where = std::source_location::current(),
            const request_scope& scope = no_scope, std::uint64_t bind_hash = 0) {
    tracker.record(tracker.statement(sql, lite), times, rows, how, where, scope, bind_hash);
  }

  statement_report report(std::string_view sql) const {
    return tracker.find(normalize(sql, lite).fingerprint).value();
  }
};

}  // namespace slow_test
