#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace scalekit::adapters {

/// Counts since the cache was made. Each read that returns is exactly one of the first six.
struct result_cache_statistics {
  /// Found.
  std::uint64_t hits = 0;
  /// Read from the database for the cache, or because another caller's read, which this one waited
  /// for, was cancelled or ran out of time.
  std::uint64_t misses = 0;
  /// Got the result of another caller's miss.
  std::uint64_t shared = 0;

  /// Went to the database past the cache, because the caller asked for the primary, or because its
  /// statement is too long to be looked up, or its result too large to be kept.
  std::uint64_t bypassed_by_choice = 0;
  /// Because there was no proof that all changes had been heard: no listener, or it was silent.
  std::uint64_t bypassed_deaf = 0;
  /// Because the caller wanted to see more than had been heard of: mostly what it has just written.
  std::uint64_t bypassed_ahead = 0;

  /// Misses whose result was not kept: a table was changed before it was there,
  std::uint64_t not_kept_changed = 0;
  /// or it has too many rows or bytes.
  std::uint64_t not_kept_large = 0;

  /// Tables named in write(), transaction() and wrote(); notices heard; and how often the listener
  /// has begun, which forgets everything.
  std::uint64_t tables_written = 0;
  std::uint64_t notices = 0;
  std::uint64_t resyncs = 0;
  /// Questions for the primary's position.
  std::uint64_t probes = 0;
  std::uint64_t probes_failed = 0;

  /// How long ago everything was proven to have been heard. Nothing: not since the listener began,
  /// or there is none.
  std::optional<std::chrono::nanoseconds> silence = {};
};

}  // namespace scalekit::adapters
