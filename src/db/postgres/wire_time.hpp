#pragma once

#include <cstdint>
#include <limits>

// PostgreSQL counts days and microseconds from 2000-01-01, scalekit from 1970-01-01; both in UTC.

namespace scalekit::db::postgres {

inline constexpr std::int64_t micros_per_second = 1'000'000;
inline constexpr std::int64_t micros_per_day = 86'400 * micros_per_second;
inline constexpr std::int64_t epoch_days = 10'957;
inline constexpr std::int64_t epoch_micros = epoch_days * micros_per_day;
/// The first microsecond that the server's timestamps can hold (in 4714 BC), from 2000-01-01.
inline constexpr std::int64_t first_server_micros = -211'813'488'000 * micros_per_second;

/// False for what 64 bits cannot hold.
constexpr bool days_to_micros(std::int64_t days_since_1970, std::int64_t& micros) noexcept {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / micros_per_day;
  if (days_since_1970 > most || days_since_1970 < -most) return false;
  micros = days_since_1970 * micros_per_day;
  return true;
}

}  // namespace scalekit::db::postgres
