#include "scalekit/ops/arrival_schedule.hpp"

#include "core/require.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace scalekit::ops {
namespace {

constexpr double max_rate = 1'000'000;

double seconds(std::chrono::nanoseconds d) {
  return std::chrono::duration<double>(d).count();
}

double rate_at_start(const load_stage& stage) {
  return stage.ramp_from.value_or(stage.rate);
}

/// Expected arrivals within the stage.
double area(const load_stage& stage) {
  return (rate_at_start(stage) + stage.rate) / 2 * seconds(stage.duration);
}

/// The time within the stage at which `arrivals` of its area lie behind.
///
/// Solves from*t + (to-from)*t^2/(2*d) = arrivals. The usual root divides by (to-from), which
/// is zero for a constant rate; this form of it does not.
double time_within(const load_stage& stage, double arrivals) {
  if (arrivals <= 0) return 0;
  double from = rate_at_start(stage);
  double slope = (stage.rate - from) / seconds(stage.duration);
  double root = std::sqrt(std::max(0.0, from * from + 2 * slope * arrivals));
  return 2 * arrivals / (from + root);
}

}  // namespace

arrival_schedule::arrival_schedule(std::vector<load_stage> stages, spacing how, std::uint64_t seed)
    : stages_(std::move(stages)), how_(how), random_(seed) {
  scalekit::detail::require(!stages_.empty(), "arrival_schedule.stages", "empty",
                            "at least one stage");
  for (const auto& stage : stages_) {
    scalekit::detail::require_range("load_stage.duration", stage.duration,
                                    std::chrono::nanoseconds{1}, std::chrono::hours{24});
    scalekit::detail::require_range("load_stage.rate", stage.rate, 0.0, max_rate);
    scalekit::detail::require_range("load_stage.ramp_from", rate_at_start(stage), 0.0, max_rate);
    duration_ += stage.duration;
    expected_ += area(stage);
  }
}

double arrival_schedule::next_gap() {
  if (how_ == spacing::constant) return std::exchange(first_, false) ? 0.0 : 1.0;
  // 53 random bits in (0, 1]; std::exponential_distribution differs between standard libraries.
  double u = static_cast<double>((random_() >> 11U) + 1) * 0x1p-53;
  return -std::log(u);
}

std::optional<std::chrono::nanoseconds> arrival_schedule::next() {
  if (stage_ == stages_.size()) return std::nullopt;
  position_ += next_gap();
  while (position_ >= stage_base_ + area(stages_[stage_])) {
    stage_base_ += area(stages_[stage_]);
    stage_start_ += stages_[stage_].duration;
    if (++stage_ == stages_.size()) return std::nullopt;
  }
  const auto& stage = stages_[stage_];
  double within = time_within(stage, position_ - stage_base_);
  auto offset = std::chrono::nanoseconds{std::llround(within * 1e9)};
  return stage_start_ + std::min(offset, stage.duration);
}

}  // namespace scalekit::ops
