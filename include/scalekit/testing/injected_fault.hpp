#pragma once

#include "scalekit/core/export.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace scalekit::testing {
namespace detail {
class gate;
struct injected;
}  // namespace detail

/// A fault that is in force: what database::inject() returns. May be dropped: the fault stays.
///
/// A handle: copies are the same fault. Thread safety: all members may be called from any thread.
class SCALEKIT_EXPORT injected_fault {
 public:
  /// How many calls have met it.
  std::size_t met() const;

  /// Waits until so many calls have met it; false when they have not within `timeout`.
  [[nodiscard]] bool wait_until_met(std::size_t calls = 1,
                                    std::chrono::nanoseconds timeout = std::chrono::seconds{
                                        5}) const;

  /// Lets the calls that have met it go on; those that meet it later wait as before.
  void release();

  /// It meets no more calls, and is not counted as left over; otherwise as release().
  void remove();

 private:
  friend class database;
  injected_fault(std::shared_ptr<detail::gate> gate, std::shared_ptr<detail::injected> it) noexcept;

  std::shared_ptr<detail::gate> gate_;
  std::shared_ptr<detail::injected> it_;
};

}  // namespace scalekit::testing
