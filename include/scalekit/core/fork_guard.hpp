#pragma once

#include "scalekit/core/export.hpp"

#include <cstdint>
#include <string_view>

namespace scalekit {

/// Tells a forked child that a handle is its parent's.
///
/// Threads, locks and sockets do not survive fork() in a usable state, so every public handle
/// keeps a guard and checks it on entry: the child gets errc::forked where it would have hung.
/// A check costs one relaxed load. The fork handler that the first guard registers only counts.
class SCALEKIT_EXPORT fork_guard {
 public:
  fork_guard();

  bool is_forked() const noexcept;

  /// Throws errc::forked, naming `what`, in a child of the process that made this guard.
  void check(std::string_view what) const;

 private:
  std::uint64_t generation_;
};

}  // namespace scalekit
