#pragma once

#include "scalekit/cache/shared_mode.hpp"
#include "scalekit/core/circuit_breaker.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace scalekit::cache {

/// Lookups of one type (see policy::type). A lookup that finds nothing and names no type, as get()
/// does, counts for none.
struct type_statistics {
  std::string type;
  std::uint64_t hits = 0;
  std::uint64_t negative = 0;
  std::uint64_t misses = 0;
  std::uint64_t loads = 0;
  std::uint64_t load_failures = 0;
  std::uint64_t stale_hits = 0;
  std::uint64_t refreshes = 0;
};

/// Lookups of the last while.
struct window_statistics {
  /// How long the while was. Somewhat longer than the window that it is for: it begins at one of
  /// the notes that are taken every 10 s, or later where nobody misses; or shorter, when the store
  /// is not open for so long.
  std::chrono::nanoseconds span{0};
  std::uint64_t lookups = 0;
  std::uint64_t hits = 0;

  /// 0 to 1; 0 where there was no lookup.
  double hit_ratio() const noexcept {
    return lookups ? static_cast<double>(hits) / static_cast<double>(lookups) : 0;
  }
};

/// What loading one key has cost.
struct key_statistics {
  /// Its first 256 bytes.
  std::string key;
  std::uint64_t loads = 0;
  /// What loaders have spent on it; of a batch, its share.
  std::chrono::nanoseconds spent{0};
  /// At most so much of that may have been spent on other keys: an error of the estimate, which
  /// knows of 64 keys.
  std::chrono::nanoseconds error{0};
};

/// Counts since the store was opened, in this process. Each lookup is exactly one of the hits, a
/// negative or a miss; reads while others write are not one atomic picture.
struct statistics {
  std::uint64_t memory_hits = 0;
  std::uint64_t file_hits = 0;
  std::uint64_t shared_hits = 0;
  /// Served past its ttl: the sum of `stale`.
  std::uint64_t stale_hits = 0;
  /// Known to be absent.
  std::uint64_t negative_hits = 0;
  std::uint64_t misses = 0;

  /// Loaders that returned a value, that said "absent", and that threw.
  std::uint64_t loads = 0;
  std::uint64_t loads_absent = 0;
  std::uint64_t loads_failed = 0;
  /// Misses that waited for another caller's load.
  std::uint64_t coalesced = 0;
  /// Callers that gave up waiting for a load: timed out or cancelled.
  std::uint64_t abandoned_waits = 0;
  /// Loaded values not stored, because the key was set or erased while they were loaded, or, on a
  /// server that is shared, because another store that loaded it too was quicker.
  std::uint64_t fenced_fills = 0;
  /// Loads in the background of a value that was served stale or ahead of its time; those that
  /// threw, took too long or found no thread. They count among the loads, too.
  std::uint64_t refreshes = 0;
  std::uint64_t refreshes_failed = 0;
  /// Loads that took longer than policy::load_timeout.
  std::uint64_t load_timeouts = 0;

  std::uint64_t sets = 0;
  std::uint64_t erases = 0;
  /// Entries whose bytes the codec refused.
  std::uint64_t undecodable = 0;

  /// Why stale values were served.
  struct stale_statistics {
    /// At once, while a load refreshed them.
    std::uint64_t refreshing = 0;
    /// The load had failed.
    std::uint64_t failed = 0;
    /// The load took longer than policy::soft_timeout, or than the call's timeout.
    std::uint64_t slow = 0;
    /// At once, as a load had failed less than policy::retry_after before.
    std::uint64_t throttled = 0;
    /// By get() with call_options::allow_stale.
    std::uint64_t asked = 0;
  } stale;

  struct memory_statistics {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t max_bytes = 0;
    /// Removed to make room.
    std::uint64_t evicted = 0;
    /// Removed after their time.
    std::uint64_t expired = 0;
    /// Not kept because they are too large for a shard.
    std::uint64_t oversized = 0;
  } memory;

  struct file_statistics {
    /// Of all processes that share the directory.
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
    std::uint64_t max_bytes = 0;
    std::uint64_t evicted = 0;
    std::uint64_t expired = 0;
    /// Damaged, truncated or foreign entries, and those of another format version.
    std::uint64_t corrupt = 0;
    std::uint64_t read_errors = 0;
    std::uint64_t write_errors = 0;
    /// Calls that left the directory alone because it had been failing.
    std::uint64_t paused = 0;
    /// Temporary files of writers that died.
    std::uint64_t orphans = 0;
  } file;

  struct shared_statistics {
    /// Entries past their time that the server still had.
    std::uint64_t expired = 0;
    /// What stood under a key and was no entry of this format.
    std::uint64_t corrupt = 0;
    /// Calls that failed: lookups; sets, fills and erasures.
    std::uint64_t read_errors = 0;
    std::uint64_t write_errors = 0;
    /// Calls that left the server alone because it had been failing.
    std::uint64_t paused = 0;
    breaker_state breaker = breaker_state::closed;
    /// As of the last call that came to this tier.
    shared_state state = shared_state::healthy;
    /// Whether memory hears now of what others change there (store_params::shared_coherence).
    bool hears_changes = false;
    /// Keys that were heard to change; and how often anything may have changed: listening began, or
    /// began again, or all was cleared.
    std::uint64_t changes_heard = 0;
    std::uint64_t changes_missed = 0;
    /// Entries found in the fallback, by lookups and loads.
    std::uint64_t fallback_hits = 0;
    /// Of its files, with those that wait to be removed.
    std::uint64_t fallback_bytes = 0;
    /// What could not be read or written there, or was left alone because of that.
    std::uint64_t fallback_errors = 0;
    /// Keys that could not be erased, and will be before they are read there again.
    std::uint64_t owed_erasures = 0;
    /// There were too many of those: the whole namespace will be forgotten first.
    bool owes_everything = false;
  } shared;

  std::vector<type_statistics> types;

  /// The last minute, ten minutes, and hour.
  window_statistics last_minute, last_10_minutes, last_hour;

  /// The keys on which loaders have spent the most time, that first; at most ten.
  std::vector<key_statistics> costly_keys;

  std::uint64_t hits() const noexcept {
    return memory_hits + file_hits + shared_hits + stale_hits + negative_hits;
  }
  std::uint64_t lookups() const noexcept { return hits() + misses; }
  /// 0 to 1; 0 before the first lookup.
  double hit_ratio() const noexcept {
    return lookups() ? static_cast<double>(hits()) / static_cast<double>(lookups()) : 0;
  }
};

}  // namespace scalekit::cache
