#pragma once

#include "cache/deadline_mutex.hpp"
#include "cache/entry_format.hpp"
#include "cache/expiry.hpp"
#include "cache/file_directory.hpp"
#include "cache/file_entry.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/circuit_breaker.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/counter.hpp"
#include "scalekit/core/deadline.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// What a lookup in the file tier found.
struct file_found {
  std::string value;
  std::string type;
  bool negative = false;
  std::chrono::microseconds age{0};
  time_left left;
  std::chrono::microseconds memory_ttl{0};
};

/// What `entry` says of itself at `now_us` of the wall clock: all but its value.
file_found found_in(const file_entry& entry, const time_left& left, std::int64_t now_us);

/// What became of a write.
struct file_written {
  bool stored = false;
  /// Something newer was there first: neither stored nor an error.
  bool fenced = false;
  /// The generation that the write made: later fills of the stripe move past it.
  fill_token token;
};

/// The file tier: what is a hit, what is dead, what happens when the directory fails.
///
/// It never throws for a failing directory. It is counted; after several failures in a row the
/// directory is left alone for a while. What could not be removed meanwhile is dead all the same:
/// the stripe's floor says so, in memory that all processes share.
///
/// Thread safety: find() may be called from any thread; writers of one stripe take turns within the
/// process.
class file_tier {
 public:
  /// Throws scalekit::error for a directory that cannot be used.
  explicit file_tier(const store_params& params);

  fence& gate() noexcept { return directory_.table().gate(); }

  /// The turn of one writer of the stripe, to be held around fill(), replace() and erase(): the
  /// lock of a file is the whole process'. Not owned: others did not finish until then.
  std::unique_lock<deadline_mutex> turn(std::uint32_t stripe, const deadline& until) {
    return {writers_[stripe % writers_.size()], until.when()};
  }

  /// Finds what is kept, stale or not.
  std::optional<file_found> find(std::string_view key, const file_name& name);

  /// Stores a loaded entry unless the fence moved past its token.
  file_written fill(const file_entry& entry, const file_name& name, const deadline& until);

  /// Stores an entry in place of whatever is there. If that fails, nothing is left there. Throws
  /// errc::acquire_timeout when another process kept the stripe locked.
  file_written replace(file_entry entry, const file_name& name, const deadline& until);

  /// Forgets the key.
  void erase(const file_name& name, const deadline& until);

  /// Forgets all keys of the stripe that were stored before, without touching the directory, and
  /// all fills begun before.
  void bury(std::uint32_t stripe) noexcept;

  struct counts {
    counter expired, corrupt, read_errors, write_errors, paused;
  };
  const counts& counted() const noexcept { return counts_; }
  const file_directory& directory() const noexcept { return directory_; }

 private:
  using permit = std::optional<circuit_breaker::permit>;

  permit admit(circuit_breaker& breaker) noexcept;
  int prepare(const file_entry& entry, const file_name& name, std::string& temporary);
  bool write_failed(permit& leave, int failed);
  void drop(const file_name& name);
  void set_aside(const file_name& name, file_fault fault);

  std::array<deadline_mutex, 256> writers_;
  file_directory directory_;
  const entry_format format_;
  const clock& clock_;
  log_sink log_;
  std::size_t most_bytes_;
  counts counts_;
  // A full disk refuses writes and still serves reads.
  circuit_breaker reads_;
  circuit_breaker writes_;
};

}  // namespace scalekit::cache::detail
