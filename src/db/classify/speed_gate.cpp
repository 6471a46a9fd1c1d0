#include "db/classify/speed_gate.hpp"

namespace scalekit::db::detail {
namespace {

constexpr float weight = 1.0F / 64;
constexpr float leave_above = 0.10F;
constexpr unsigned slow_allowed = 1;
constexpr int far_too_slow = 20;

}  // namespace

void speed_gate::record(std::chrono::nanoseconds took, std::chrono::nanoseconds bound) noexcept {
  const bool slow = took > bound;
  if (fast_) {
    slow_share_ += weight * ((slow ? 1.0F : 0.0F) - slow_share_);
    if (slow_share_ > leave_above || took > far_too_slow * bound) *this = {};
    return;
  }
  ++samples_;
  if (slow) ++slow_;
  if (samples_ < samples_to_enter) return;
  fast_ = slow_ <= slow_allowed;
  slow_share_ = static_cast<float>(slow_) / samples_to_enter;
  samples_ = slow_ = 0;
}

}  // namespace scalekit::db::detail
