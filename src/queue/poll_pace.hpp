#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace scalekit::queue::detail {

/// How often an idle worker looks: twice as long each time nothing is found.
class poll_pace {
 public:
  poll_pace(std::chrono::nanoseconds least, std::chrono::nanoseconds most) noexcept
      : least_(least), most_(most), bound_(least) {}

  /// Something was found, or is about to come.
  void quicken() noexcept { bound_ = least_; }

  /// The pause after a look that found nothing: a half to the whole of the bound, by `random`, so
  /// that the workers of a fleet do not look in step.
  std::chrono::nanoseconds next(std::uint64_t random) noexcept {
    const auto half = bound_ / 2;
    const auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(half.count(), 1));
    const auto pause = bound_ - std::chrono::nanoseconds{static_cast<std::int64_t>(random % span)};
    bound_ = std::min(bound_ * 2, most_);
    return pause;
  }

 private:
  std::chrono::nanoseconds least_;
  std::chrono::nanoseconds most_;
  std::chrono::nanoseconds bound_;
};

}  // namespace scalekit::queue::detail
