#pragma once

// Checks of configuration: std::invalid_argument naming the field, the value and the legal range.

#include <chrono>
#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>

namespace scalekit::detail {

inline void require(bool holds, std::string_view field, std::string_view value,
                    std::string_view legal) {
  if (holds) return;
  std::string text{field};
  text.append(" is ").append(value).append("; legal: ").append(legal);
  throw std::invalid_argument(text);
}

template <class Number>
  requires std::integral<Number> || std::floating_point<Number>
void require_range(std::string_view field, Number value, std::type_identity_t<Number> least,
                   std::type_identity_t<Number> most) {
  if (value >= least && value <= most) return;
  require(false, field, std::to_string(value),
          std::to_string(least) + " to " + std::to_string(most));
}

/// Durations are told in milliseconds, those with a finer part in nanoseconds.
inline void require_range(std::string_view field, std::chrono::nanoseconds value,
                          std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
  if (value >= least && value <= most) return;
  auto text = [](std::chrono::nanoseconds d) {
    constexpr std::chrono::milliseconds ms{1};
    return d % ms == d.zero() ? std::to_string(d / ms) + " ms" : std::to_string(d.count()) + " ns";
  };
  require(false, field, text(value), text(least) + " to " + text(most));
}

}  // namespace scalekit::detail
