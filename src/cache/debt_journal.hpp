#pragma once

#include "cache/owed_erasures.hpp"
#include "cache/posix_file.hpp"
#include "scalekit/core/log.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// Whether a shared server is owed erasures, in a file that outlives the process.
///
/// While it is, the file only says so: who finds it that way, after a crash, owes everything. An
/// orderly close writes the keys. So the disk is written to when an outage begins and when it ends,
/// not with each erasure.
///
/// The file is locked by who has it. One byte of it, the state, decides; it is written last.
///
/// Thread safety: all members may be called from any thread.
class debt_journal {
 public:
  /// Takes what was left into `owed`. Throws unavailable where another store has the file, or it
  /// cannot be opened; corrupt for a file of something else; io_error, disk_full, read_only.
  debt_journal(std::string path, owed_erasures& owed, log_sink log);

  /// To be called after `owed` has changed. What it cannot write it says in the log, once, and
  /// tries again next time.
  void note() noexcept;

  /// Writes the keys, for who comes next. note() may be called after it.
  void close() noexcept;

 private:
  enum class state : char { paid = '.', owing = '?', listed = '=', unknown = 0 };

  /// Whether the file says what is so.
  bool is_right() const noexcept;
  void take(std::string_view bytes);
  void put(state s);
  void put_list();
  void write(std::string_view bytes, off_t at);
  template <class Change>
  void change(Change what) noexcept;

  const std::string path_;
  owed_erasures& owed_;
  const log_sink log_;
  descriptor file_;
  std::mutex mutex_;
  /// What stands in the file. Unknown while it is being changed, or where that has failed.
  std::atomic<state> state_{state::unknown};
  /// How many debts had been made when they were listed.
  std::atomic<std::uint64_t> listed_at_{0};
  bool has_failed_ = false;
};

}  // namespace scalekit::cache::detail
