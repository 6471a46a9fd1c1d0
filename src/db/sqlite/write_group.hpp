#pragma once

// Which writes share a commit, and when a group is broken up: decisions without I/O or clocks.

#include "scalekit/core/clock.hpp"

#include <chrono>
#include <cstddef>

namespace scalekit::db::sqlite {

/// A group of autocommit writes in one transaction. It grows while its statements run: who waits is
/// asked for when the statement before has ended, and can leave until then.
///
/// Thread safety: none.
class write_group {
 public:
  /// More would not make a commit noticeably cheaper.
  static constexpr std::size_t max_writes = 128;
  /// Of statements and their arguments, together.
  static constexpr std::size_t max_bytes = std::size_t{1} << 20;
  /// Who was first waits for those that join this much later.
  static constexpr std::chrono::milliseconds open_for{5};
  /// A statement that takes longer breaks the group up, and runs alone for a while.
  static constexpr std::chrono::milliseconds max_statement{20};
  static constexpr std::chrono::seconds alone_for{1};

  explicit write_group(time_point now) noexcept : open_until_(now + open_for) {}

  /// Whether a write of that size and deadline may join: there must be time for its statement to
  /// take its maximum, and for everybody to run alone after that.
  bool admits(std::size_t bytes, time_point deadline, time_point now) const noexcept;

  /// An admitted one joins.
  void add(std::size_t bytes, time_point deadline, time_point now) noexcept;

 private:
  std::size_t writes_ = 0;
  std::size_t bytes_ = 0;
  time_point open_until_;
  // When half of a member's time is over.
  time_point commit_by_ = time_point::max();
};

/// How a statement of a group ended.
struct statement_end {
  enum class cause { success, failure, out_of_time, stopped };

  cause why = cause::success;
  /// Its own deadline has passed.
  bool late = false;
  /// SQLite ends the transaction after some errors, and when the statement says `or rollback`.
  bool transaction_open = true;
  /// A deferred foreign key does not hold. Alone, the statement would fail; here another's might
  /// mend it, or all would fail at the commit.
  bool keys_open = false;
  /// The connection is not to be used again.
  bool suspect = false;
};

enum class verdict {
  go_on,
  /// Nothing that the group did stays. Everybody runs alone.
  break_up,
  /// The same, but this one keeps its failure: it was stopped, for reasons of its own.
  break_up_without,
  /// The same, and its statement is too slow for groups.
  break_up_slow,
};

verdict after_statement(const statement_end& end) noexcept;

}  // namespace scalekit::db::sqlite
