#pragma once

#include <chrono>
#include <cstdint>

namespace scalekit::db::detail {

/// Whether a statement is fast enough to share a connection: in after 20 runs alone of which at
/// most one (5 %) was slow, about p95 < bound; judged anew every 20 runs while out. It is out again
/// once 10 % were slow lately (moving average over about 64 runs), or one run took 20 times the
/// bound.
///
/// No synchronisation of its own.
class speed_gate {
 public:
  static constexpr unsigned samples_to_enter = 20;

  /// One run. `bound` is positive.
  void record(std::chrono::nanoseconds took, std::chrono::nanoseconds bound) noexcept;

  bool is_fast() const noexcept { return fast_; }

 private:
  std::uint8_t samples_ = 0;
  std::uint8_t slow_ = 0;
  bool fast_ = false;
  // Moving share of slow runs while in.
  float slow_share_ = 0;
};

}  // namespace scalekit::db::detail
