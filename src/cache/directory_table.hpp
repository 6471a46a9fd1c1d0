#pragma once

#include "cache/fence.hpp"
#include "cache/posix_file.hpp"
#include "scalekit/core/deadline.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace scalekit::cache::detail {

/// What the processes that use one directory share: the file `table`, mapped into each of them. It
/// holds the epoch, the totals and the fence; byte-range locks on it (which end with their process)
/// order changes of a stripe's files.
///
/// Thread safety: the atomics and gate(); stripe_lock as said there.
class directory_table {
 public:
  struct contents {
    std::atomic<std::uint64_t> magic;
    std::atomic<std::uint64_t> epoch;
    std::atomic<std::int64_t> entries;
    std::atomic<std::int64_t> bytes;
    std::uint64_t unused[4];
    fence_stripe stripes[fence::stripes];
  };

  /// Locked for writing by who opens the directory alone, for reading by all who have it open. As
  /// all locks it is on a byte far behind the table's end, which need not exist.
  static constexpr off_t presence_byte = off_t{1} << 40;

  /// Opens or makes the table in `directory`. `first_epoch` is the epoch of a new one: entries
  /// found beside it, of a former life, must not be taken for its own.
  directory_table(int directory, const std::string& path, std::uint64_t first_epoch);
  directory_table(const directory_table&) = delete;
  directory_table& operator=(const directory_table&) = delete;

  fence& gate() noexcept { return *gate_; }
  contents& shared() noexcept { return *contents_; }
  const contents& shared() const noexcept { return *contents_; }

  /// Whether no other process had the directory open when this was made: only then are leftovers
  /// known to be nobody's. Ends the exclusive phase, in which others wait to open.
  bool is_alone() const noexcept { return alone_; }
  void admit_others() noexcept;

  /// Holds a stripe against other processes. Threads of one process must exclude each other first.
  class stripe_lock {
   public:
    /// Throws errc::acquire_timeout.
    stripe_lock(directory_table& table, std::uint32_t stripe, const deadline& until);
    ~stripe_lock();
    stripe_lock(const stripe_lock&) = delete;
    stripe_lock& operator=(const stripe_lock&) = delete;

   private:
    int fd_;
    off_t at_;
  };

 private:
  struct unmap {
    void operator()(contents* at) const noexcept;
  };

  void make(std::uint64_t first_epoch);
  void map();

  std::string path_;
  descriptor file_;
  std::unique_ptr<contents, unmap> contents_;
  std::optional<fence> gate_;
  bool alone_ = false;
};

}  // namespace scalekit::cache::detail
