#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/random.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace scalekit {

/// How the pause grows with each failure in a row.
enum class backoff_kind {
  /// base, base * factor, base * factor^2, ...
  exponential,
  /// base, 2 * base, 3 * base, ...
  linear,
};

/// How long to wait before trying again.
struct backoff_params {
  /// The longest pause after the first failure. Default 100 ms: several round trips. Range 0 to
  /// 30 days; 0 tries again at once, each time.
  std::chrono::nanoseconds base = std::chrono::milliseconds(100);

  /// No pause is longer. Default 30 s. Range `base` to 30 days.
  std::chrono::nanoseconds cap = std::chrono::seconds(30);

  /// Default exponential: a dependency that stays down is left alone more and more.
  backoff_kind kind = backoff_kind::exponential;

  /// Growth of the exponential kind. Default 2. Range 1 to 10. Not used by the linear kind.
  double factor = 2;

  /// Draw the pause between 0 and its bound ("full jitter", AWS Architecture Blog 2015), so that
  /// those who failed together do not come back together. Default true; false waits for the
  /// whole bound each time.
  bool full_jitter = true;
};

/// Throws std::invalid_argument for settings out of range. `name` is what the user calls them:
/// the message begins with `name`.base and so on.
SCALEKIT_EXPORT void validate(const backoff_params& params,
                              std::string_view name = "backoff_params");

/// The longest pause after `failures` failures in a row; 0 for no failure. Never above the cap,
/// for any number of failures.
SCALEKIT_EXPORT std::chrono::nanoseconds backoff_bound(const backoff_params& params,
                                                       std::uint64_t failures) noexcept;

/// The pause after `failures` failures in a row, 0 to backoff_bound(). `random` is any 64 random
/// bits and decides the jitter: a pure function, the same arguments give the same pause.
SCALEKIT_EXPORT std::chrono::nanoseconds backoff_delay(const backoff_params& params,
                                                       std::uint64_t failures,
                                                       std::uint64_t random) noexcept;

/// The same, with the next number of `random`.
inline std::chrono::nanoseconds backoff_delay(const backoff_params& params, std::uint64_t failures,
                                              random_generator& random) noexcept {
  return backoff_delay(params, failures, random());
}

}  // namespace scalekit
