#include "db/pool/dial_pace.hpp"

#include <utility>

namespace scalekit::db::detail {

dial_pace::dial_pace(std::chrono::nanoseconds retry_interval, std::size_t max_dials) noexcept
    : backoff_{.base = retry_interval, .cap = 10 * retry_interval}, max_dials_(max_dials) {}

void dial_pace::succeeded() noexcept {
  failures_ = 0;
  hopeless_ = false;
  next_ = {};
  last_error_.clear();
}

void dial_pace::failed(std::string text, bool hopeless, time_point now, std::uint64_t random) {
  last_error_ = std::move(text);
  hopeless_ = hopeless;
  // Dials that ran side by side and failed of the same cause are one failure.
  if (failures_ > 0 && now < next_) return;
  ++failures_;
  const auto half = backoff_bound(backoff_, failures_) / 2;
  const double share = static_cast<double>(random >> 11) * 0x1p-53;
  next_ = now + half +
          std::chrono::nanoseconds(
              static_cast<std::int64_t>(static_cast<double>(half.count()) * share));
}

}  // namespace scalekit::db::detail
