#pragma once

#include "scalekit/core/error.hpp"

#include <cstdint>
#include <sys/eventfd.h>
#include <unistd.h>

namespace scalekit::db::postgres {

/// Something that a thread in poll(2) can be woken by.
///
/// Thread safety: ring() from any thread, also inside stop callbacks; the rest from one.
class wake_descriptor {
 public:
  /// Throws errc::io_error when the process has no descriptor left.
  wake_descriptor() : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (descriptor_ < 0) throw error(errc::io_error, "no file descriptor left to wait with");
  }
  ~wake_descriptor() { ::close(descriptor_); }
  wake_descriptor(const wake_descriptor&) = delete;
  wake_descriptor& operator=(const wake_descriptor&) = delete;

  int get() const noexcept { return descriptor_; }

  void ring() const noexcept {
    const std::uint64_t one = 1;
    // It cannot fail: one more never fills the counter.
    [[maybe_unused]] const auto written = ::write(descriptor_, &one, sizeof one);
  }

  /// Forgets that it was rung.
  void silence() const noexcept {
    std::uint64_t times = 0;
    [[maybe_unused]] const auto got = ::read(descriptor_, &times, sizeof times);
  }

 private:
  int descriptor_;
};

}  // namespace scalekit::db::postgres
