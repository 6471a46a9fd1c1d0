#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace scalekit::limit::detail {

// What a rule may say: for what is checked at construction, and for settings from outside.
inline constexpr std::uint64_t most_calls = 1'000'000'000;
inline constexpr std::chrono::nanoseconds least_per = std::chrono::microseconds{1};
inline constexpr std::chrono::nanoseconds most_per = std::chrono::days{366};
inline constexpr std::size_t least_keys = 64;
inline constexpr std::size_t most_keys = std::size_t{1} << 26;

}  // namespace scalekit::limit::detail
