#pragma once

#include "scalekit/core/error.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

namespace scalekit::db::postgres {

/// Wakes a thread that waits in poll(2) when one of its stop tokens is triggered. Costs nothing for
/// tokens that never can be.
class stop_bell {
 public:
  explicit stop_bell(const std::array<const std::stop_token*, 3>& stops) {
    for (std::size_t i = 0; i < stops.size(); ++i) {
      if (stops[i] == nullptr || !stops[i]->stop_possible()) continue;
      if (descriptor_ < 0) open();
      callbacks_[i].emplace(*stops[i], ring{descriptor_});
    }
  }
  ~stop_bell() {
    for (auto& each : callbacks_) each.reset();
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  stop_bell(const stop_bell&) = delete;
  stop_bell& operator=(const stop_bell&) = delete;

  /// Readable once a stop was requested; -1 where none can be.
  int descriptor() const noexcept { return descriptor_; }

 private:
  struct ring {
    int descriptor;
    void operator()() const noexcept {
      const std::uint64_t one = 1;
      // It cannot fail: one more never fills the counter.
      [[maybe_unused]] const auto written = ::write(descriptor, &one, sizeof one);
    }
  };

  void open() {
    descriptor_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (descriptor_ < 0) {
      throw error(boost::system::error_code(make_error_code(errc::io_error)),
                  {"no file descriptor left to wait with", {}, std::to_string(errno), {}});
    }
  }

  int descriptor_ = -1;
  std::array<std::optional<std::stop_callback<ring>>, 3> callbacks_;
};

}  // namespace scalekit::db::postgres
