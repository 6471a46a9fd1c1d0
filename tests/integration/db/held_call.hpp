#pragma once

#include "scalekit/slow/report.hpp"
#include "scalekit/slow/tracker.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

// Calls that another keeps waiting for a while, and what a tracker is told of them.

namespace tracker_test {

/// So long that a wait is told apart from none.
inline void pass_time() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
  while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
}

/// When a call was waiting for what another held, when that was given back, when the call was over.
struct held_call {
  std::chrono::steady_clock::time_point asked_before{}, released{}, done{};

  /// It has waited while that was held, and not worked then.
  void check_waited(const scalekit::slow::statement_report& of) const {
    CAPTURE(of.text);
    CHECK(of.wait >= released - asked_before);
    CHECK(of.execute > std::chrono::nanoseconds(0));
    CHECK(of.execute + of.fetch <= done - released);
  }
};

/// Of the statement that begins so; nothing: nothing was told of it.
inline std::optional<scalekit::slow::statement_report> report_of(
    const scalekit::slow::tracker& tracker, std::string_view beginning) {
  for (auto& each : tracker.top(100, scalekit::slow::top_by::calls)) {
    if (each.text.starts_with(beginning)) return each;
  }
  return std::nullopt;
}

}  // namespace tracker_test
