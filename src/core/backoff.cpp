#include "scalekit/core/backoff.hpp"

#include "core/require.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <string>

namespace scalekit {

std::uint64_t random_generator::random_seed() {
  std::random_device entropy;
  return (std::uint64_t{entropy()} << 32) ^ entropy();
}

void validate(const backoff_params& params, std::string_view name) {
  constexpr std::chrono::hours month{30 * 24};
  const std::string prefix(name);
  detail::require_range(prefix + ".base", params.base, std::chrono::nanoseconds::zero(), month);
  detail::require_range(prefix + ".cap", params.cap, params.base, month);
  detail::require_range(prefix + ".factor", params.factor, 1, 10);
}

std::chrono::nanoseconds backoff_bound(const backoff_params& params,
                                       std::uint64_t failures) noexcept {
  // Zero times an infinite growth is no number.
  if (failures == 0 || params.base.count() == 0) return std::chrono::nanoseconds::zero();
  const auto steps = static_cast<double>(failures - 1);
  const double growth =
      params.kind == backoff_kind::exponential ? std::pow(params.factor, steps) : steps + 1;
  // The growth may be infinite: compared as doubles, before anything can overflow.
  const double bound = static_cast<double>(params.base.count()) * growth;
  const auto cap = static_cast<double>(params.cap.count());
  return bound < cap ? std::chrono::nanoseconds(static_cast<std::int64_t>(bound)) : params.cap;
}

std::chrono::nanoseconds backoff_delay(const backoff_params& params, std::uint64_t failures,
                                       std::uint64_t random) noexcept {
  const auto bound = backoff_bound(params, failures);
  if (!params.full_jitter) return bound;
  const double share = static_cast<double>(random >> 11) * 0x1p-53;
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(static_cast<double>(bound.count()) * share));
}

}  // namespace scalekit
