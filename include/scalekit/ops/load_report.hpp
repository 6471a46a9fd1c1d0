#pragma once

#include "scalekit/core/export.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace scalekit::ops {

/// How many requests ended how; see load_outcome. `due` is the sum of the outcomes.
struct load_counts {
  std::uint64_t due = 0;
  /// Requests of which at least the first byte was sent.
  std::uint64_t sent = 0;
  std::uint64_t ok = 0;
  std::uint64_t redirected = 0;
  std::uint64_t limited = 0;
  std::uint64_t client_errors = 0;
  std::uint64_t server_errors = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t connection_errors = 0;
  std::uint64_t dropped = 0;

  /// All that did not end well: 4xx other than 429, 5xx, timeouts, connection errors, dropped.
  std::uint64_t failed() const noexcept {
    return client_errors + server_errors + timeouts + connection_errors + dropped;
  }
};

/// Percentiles of a duration, within 1 %; all zero when there was no sample.
struct load_percentiles {
  std::chrono::nanoseconds p50{};
  std::chrono::nanoseconds p95{};
  std::chrono::nanoseconds p99{};
  std::chrono::nanoseconds p999{};
  std::chrono::nanoseconds max{};
};

/// One row of a report: a kind of request, or all of them.
struct load_row {
  std::string name;
  load_counts counts;

  /// From the time at which a request was due to its last byte: what a user sees. Includes waiting
  /// for a connection, and requests that timed out, at the time after which they were given up.
  load_percentiles latency;

  /// From sending to the last byte: what the server needed, blind to everything that waited behind
  /// a stall. Answered requests only.
  load_percentiles service;

  /// 2xx responses a second, of those that came while the schedule ran.
  double goodput = 0;
};

/// What a load run found out.
struct load_report {
  /// In the order of load_params.kinds.
  std::vector<load_row> kinds;
  load_row total;

  /// Length of the schedule, or the part of it that ran before a stop.
  std::chrono::nanoseconds duration{};

  /// Requests a second: due and actually sent.
  double intended_rate = 0;
  double achieved_rate = 0;

  /// How late the generator itself was in taking up requests that were due. A large value means
  /// that the generator, not the server, was measured.
  load_percentiles lateness;

  /// Share of one processor that the generator's thread used, 0 to 1.
  double generator_cpu = 0;

  /// The 99th percentile of lateness was above load_params.max_lateness: do not trust the figures.
  bool generator_saturated = false;

  /// Attempts to connect that failed, and connections that were opened during the run.
  std::uint64_t connect_failures = 0;
  std::uint64_t reconnects = 0;

  /// The run ended early, by its stop token.
  bool stopped = false;
};

/// A table for a terminal, plain ASCII, ending in a newline.
SCALEKIT_EXPORT std::string to_text(const load_report& report);

/// One JSON object; durations in milliseconds, in fields ending in `_ms`.
SCALEKIT_EXPORT std::string to_json(const load_report& report);

}  // namespace scalekit::ops
