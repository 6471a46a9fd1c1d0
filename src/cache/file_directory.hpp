#pragma once

#include "cache/directory_table.hpp"
#include "cache/posix_file.hpp"
#include "scalekit/cache/store_params.hpp"
#include "scalekit/core/random.hpp"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// The name of a key's file below the root, "3f/3f0c...": 128 bits of hash, the first byte of which
/// is the fan-out directory. Two keys may share a name; the entry's key decides.
struct file_name {
  explicit file_name(std::string_view key);

  std::string path;
  std::uint32_t stripe;
};

/// Files of one cache directory, and their totals. Everything returns 0 or an errno.
///
/// Layout: ROOT/v1/table, ROOT/v1/xx/<hash>, ROOT/v1/xx/.tmp-* while written, ROOT/v1/quarantine/.
///
/// Thread safety: all members may be called from any thread; publish() and remove() of one name
/// under its stripe's lock, else the totals drift.
class file_directory {
 public:
  /// Makes or opens it, and sweeps what dead writers left. Throws scalekit::error.
  explicit file_directory(const file_params& params);

  directory_table& table() noexcept { return *table_; }
  const directory_table& table() const noexcept { return *table_; }
  const std::string& path() const noexcept { return params_.directory; }

  /// The whole file, if it is no longer than `most` bytes (else EFBIG).
  int read(const std::string& name, std::size_t most, std::string& out) const;

  /// Writes a file beside `name` and gives its name.
  int write_temporary(const std::string& name, std::string_view prefix, std::string_view value,
                      std::string& temporary);
  int publish(const std::string& temporary, const std::string& name);
  void discard(const std::string& temporary) noexcept;
  int remove(const std::string& name) noexcept;

  /// Moves it aside for a person to look at, or removes it when enough are there.
  void quarantine(const std::string& name);

  /// Removes older files until `bytes` more fit. False: impossible.
  bool make_room(std::uint64_t bytes);

  std::uint64_t evicted() const noexcept { return evicted_.load(std::memory_order_relaxed); }
  std::uint64_t orphans() const noexcept { return orphans_.load(std::memory_order_relaxed); }

 private:
  descriptor make_and_open(const std::string& path) const;
  void sweep();
  void add(std::int64_t entries, std::int64_t bytes) noexcept;
  void evict_from(unsigned fan);
  bool fits(std::uint64_t bytes) const noexcept;

  file_params params_;
  // From the system's entropy: epochs and names of several processes must differ.
  random_generator random_;
  descriptor root_;
  std::optional<directory_table> table_;
  std::atomic<std::uint64_t> evicted_{0};
  std::atomic<std::uint64_t> orphans_{0};
};

}  // namespace scalekit::cache::detail
