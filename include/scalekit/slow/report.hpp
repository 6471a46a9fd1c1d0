#pragma once

#include "scalekit/core/clock.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace scalekit::slow {

/// A place in the host's source that makes calls.
struct call_site {
  /// As the compiler was given it.
  std::string file;
  std::uint32_t line = 0;
  std::string function;
};

/// A call site and how often it called.
struct call_site_count {
  call_site where;
  std::uint64_t calls = 0;
};

/// One statement, as it is now. Plain values that no longer change.
struct statement_report {
  /// See normalized_statement. 0 for the overflow.
  std::uint64_t fingerprint = 0;
  /// The statement without its values.
  std::string text;

  /// All calls, whatever their outcome: ok + errors + timeouts + cancelled.
  std::uint64_t calls = 0;
  std::uint64_t errors = 0;
  std::uint64_t timeouts = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t rows = 0;

  /// Sums over all calls; total = wait + execute + fetch.
  std::chrono::nanoseconds total{0};
  std::chrono::nanoseconds wait{0};
  std::chrono::nanoseconds execute{0};
  std::chrono::nanoseconds fetch{0};

  /// Of the time of one call, waiting included; within 1 %.
  std::chrono::nanoseconds p50{0};
  std::chrono::nanoseconds p95{0};
  std::chrono::nanoseconds p99{0};
  std::chrono::nanoseconds max{0};

  /// When the first call since the start or reset(), and the last, ended.
  wall_time first_seen{};
  wall_time last_seen{};

  /// The first 8 places it was called from, busiest first.
  std::vector<call_site_count> call_sites;
  /// Calls from further places.
  std::uint64_t calls_elsewhere = 0;
};

/// What tracker::top() sorts by, descending.
enum class top_by : std::uint8_t {
  /// Sum of the time of all calls: where the load comes from.
  total,
  /// Time that 95 % of its calls stay below: what users feel.
  p95,
  calls,
  /// Errors, timeouts and cancelled calls.
  errors,
};

/// What calls that recur within a request have in common.
enum class n_plus_one_pattern : std::uint8_t {
  /// Different bind values: one query a row. Read them with one `= any($1)` or a join.
  loop,
  /// The same bind values again and again: keep the first result.
  repeat,
  /// The binds are not known.
  unknown,
};

/// A statement that one place called over and over within single requests.
struct n_plus_one_report {
  std::uint64_t fingerprint = 0;
  std::string text;
  call_site where;
  /// The kind of request in which it was first found (request_scope::name()).
  std::string scope;
  n_plus_one_pattern pattern = n_plus_one_pattern::unknown;
  /// Requests in which it reached the threshold.
  std::uint64_t requests = 0;
  /// Most calls in one request.
  std::uint64_t most_calls = 0;
  wall_time first_seen{};
  wall_time last_seen{};
};

/// The tracker as a whole, since the start or the last reset().
struct tracker_totals {
  std::uint64_t calls = 0;
  /// Errors, timeouts and cancelled calls.
  std::uint64_t failed = 0;
  std::chrono::nanoseconds total{0};
  /// Calls at or above the threshold, and how many of them the rate limit kept out of the log.
  std::uint64_t slow = 0;
  std::uint64_t slow_suppressed = 0;
  /// Fingerprints and texts known; not affected by reset().
  std::uint64_t statements = 0;
  std::uint64_t texts = 0;
  /// Calls counted in overflow().
  std::uint64_t overflow_calls = 0;
  /// Findings, and those dropped because there were 100 already.
  std::uint64_t n_plus_one = 0;
  std::uint64_t n_plus_one_dropped = 0;
};

}  // namespace scalekit::slow
