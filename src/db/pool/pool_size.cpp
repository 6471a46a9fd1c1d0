#include "db/pool/pool_size.hpp"

#include "scalekit/core/settings_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace scalekit::db::detail {
namespace {

std::size_t quarter(std::size_t n) {
  return (n + 3) / 4;
}

std::string use_text(double use, std::size_t of, std::chrono::nanoseconds over) {
  // Whole milliseconds: nobody reads more.
  over -= over % std::chrono::milliseconds{1};
  std::array<char, 32> share{};
  std::snprintf(share.data(), share.size(), "%.2f", use);
  return std::string(share.data()) + " of " + std::to_string(of) + " in use over " +
         format_duration(over);
}

}  // namespace

pool_size::pool_size(const pool_params& params, time_point now)
    : min_(params.min),
      max_(params.max),
      adaptive_(params.adaptive),
      grow_above_(params.grow_above),
      shrink_below_(params.shrink_below),
      grow_after_(params.grow_after),
      shrink_after_(params.shrink_after),
      value_(adaptive_ ? least() : max_),
      seen_(now),
      growth_{now},
      shrinkage_{now} {}

std::size_t pool_size::least() const noexcept {
  return std::max<std::size_t>(min_, 1);
}

double pool_size::use_since(const window& w) const noexcept {
  const auto length = static_cast<double>((seen_ - w.begun).count());
  return length > 0 ? (in_use_ - w.in_use_before) / length / static_cast<double>(value_) : 0;
}

time_point pool_size::growth_due() const noexcept {
  return adaptive_ && value_ < max_ ? growth_.begun + grow_after_ : time_point::max();
}

time_point pool_size::shrink_due() const noexcept {
  return adaptive_ && value_ > least() ? shrinkage_.begun + shrink_after_ : time_point::max();
}

bool pool_size::consider_growing(std::size_t waiting) {
  pressed_ = true;
  if (seen_ < growth_due()) return false;
  const auto use = use_since(growth_);
  const auto over = seen_ - growth_.begun;
  growth_ = {seen_, in_use_};
  if (use <= grow_above_ || grow_above_ >= 1) return false;
  change_to(std::min(max_, value_ + quarter(value_)), "grew",
            use_text(use, value_, over) + ", " + std::to_string(waiting) + " waiting");
  return true;
}

bool pool_size::consider_shrinking() {
  if (seen_ < shrink_due()) return false;
  const auto use = use_since(shrinkage_);
  const auto over = seen_ - shrinkage_.begun;
  shrinkage_ = {seen_, in_use_};
  // Who waited found every connection taken, whatever the average says.
  if (std::exchange(pressed_, false) || use >= shrink_below_) return false;
  change_to(std::max(least(), value_ - quarter(value_)), "shrank", use_text(use, value_, over));
  return true;
}

void pool_size::set_limits(std::size_t min, std::size_t max, const std::string& why) {
  min_ = min;
  max_ = max;
  const auto to = adaptive_ ? std::clamp(value_, least(), max_) : max_;
  if (to != value_) change_to(to, to < value_ ? "limited" : "raised", why);
}

void pool_size::change_to(std::size_t to, const char* verb, const std::string& why) {
  last_ = {
      value_, to, seen_,
      std::string(verb) + " " + std::to_string(value_) + " -> " + std::to_string(to) + ": " + why};
  value_ = to;
  // The share in use means something else from here on.
  growth_ = shrinkage_ = {seen_, in_use_};
  pressed_ = false;
}

}  // namespace scalekit::db::detail
