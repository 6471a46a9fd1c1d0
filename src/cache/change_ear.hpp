#pragma once

#include <functional>
#include <string_view>

namespace scalekit::cache::detail {

/// Hears what is changed on a shared server, by whomever, and tells it from a thread of its own.
///
/// Thread safety: all members may be called from any thread, but for the destructor.
class change_ear {
 public:
  struct listener {
    /// The key was set, erased or evicted, or has expired; here or elsewhere.
    std::function<void(std::string_view key)> on_change;
    /// Anything may have changed: the epoch has, or nothing was heard for a while.
    std::function<void()> on_anything;
  };

  change_ear() = default;
  virtual ~change_ear() = default;
  change_ear(const change_ear&) = delete;
  change_ear& operator=(const change_ear&) = delete;

  /// Nothing is told after it.
  virtual void close() noexcept = 0;
  virtual bool is_listening() const noexcept = 0;
};

}  // namespace scalekit::cache::detail
