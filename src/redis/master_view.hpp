#pragma once

#include "redis/place.hpp"

#include <cstdint>
#include <optional>

namespace scalekit::redis::detail {

/// Which server is the master, as far as is known; without I/O.
///
/// Connections belong to a term, which is a number; those of an older one than term() are to be
/// given up. Sentinels are only believed to the client's own disadvantage: what they announce ends
/// a term, but the master is who has said so itself, when it was asked on the new connection.
class master_view {
 public:
  std::uint64_t term() const noexcept { return term_; }
  const std::optional<place>& current() const noexcept { return current_; }
  /// How often the master was another one than before.
  std::uint64_t failovers() const noexcept { return failovers_; }

  /// A search has ended there.
  void found(const place& where) { found_ = where; }

  /// A sentinel says, unasked, that the master is there. True: the term has ended by it.
  bool announced(const place& where);

  /// A server said, on a connection of `term`, that it is a replica. True: the term has ended by
  /// it.
  bool suspected(std::uint64_t term);

  struct confirmation {
    /// The connection's, from now on.
    std::uint64_t term;
    /// Another master than before: an older term has ended.
    bool is_failover;
  };
  /// A server said, on a connection whose address was found in `term`, that it is the master.
  /// Nothing: that term has ended, and who has ended it knew more.
  std::optional<confirmation> confirmed(const place& where, std::uint64_t term);

 private:
  std::uint64_t term_ = 0;
  /// Since then no term has ended by doubt, only by a new master that was confirmed: others that
  /// come to it at the same time are right.
  std::uint64_t undoubted_since_ = 0;
  std::uint64_t failovers_ = 0;
  std::optional<place> current_;
  std::optional<place> found_;
  /// For which the last term has ended; nothing once a master was confirmed since.
  std::optional<place> announced_;
};

}  // namespace scalekit::redis::detail
