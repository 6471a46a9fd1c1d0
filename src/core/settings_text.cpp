#include "scalekit/core/settings_text.hpp"

#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace scalekit {
namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

// Ascending; the first entry of formatting is what everything divides by.
constexpr std::array duration_units{
    unit{"ns", 1},
    unit{"us", 1'000},
    unit{"ms", 1'000'000},
    unit{"s", 1'000'000'000},
    unit{"min", 60'000'000'000},
    unit{"h", 3'600'000'000'000},
    unit{"d", 86'400'000'000'000},
};

constexpr std::array binary_units{
    unit{"B", 1},
    unit{"KiB", std::uint64_t{1} << 10},
    unit{"MiB", std::uint64_t{1} << 20},
    unit{"GiB", std::uint64_t{1} << 30},
    unit{"TiB", std::uint64_t{1} << 40},
};

constexpr std::array decimal_units{
    unit{"kB", 1'000},
    unit{"MB", 1'000'000},
    unit{"GB", 1'000'000'000},
    unit{"TB", 1'000'000'000'000},
};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

struct amount {
  std::string_view number;
  std::string_view unit;
};

amount split(std::string_view text) {
  text = trim(text);
  const auto end = std::min(text.find_first_not_of("0123456789."), text.size());
  return {text.substr(0, end), trim(text.substr(end))};
}

template <class Number>
std::optional<Number> read(std::string_view text) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// number * factor where that is at most `most`. Whole numbers stay exact.
std::optional<std::uint64_t> scaled(std::string_view number, std::uint64_t factor,
                                    std::uint64_t most) {
  if (auto whole = read<std::uint64_t>(number)) {
    if (*whole > most / factor) return std::nullopt;
    return *whole * factor;
  }
  const auto fraction = read<double>(number);
  if (!fraction) return std::nullopt;
  // The last double below 2^64 may round up to it: half of the range is ample.
  const double value = *fraction * static_cast<double>(factor);
  if (!(value < static_cast<double>(most) / 2)) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

std::optional<std::uint64_t> factor_of(std::string_view name, std::span<const unit> units) {
  for (const auto& each : units) {
    if (each.name == name) return each.factor;
  }
  return std::nullopt;
}

std::string format(std::uint64_t value, std::span<const unit> units) {
  auto best = units.front();
  for (const auto& each : units) {
    if (value != 0 && value % each.factor == 0) best = each;
  }
  return std::to_string(value / best.factor) + ' ' + std::string(best.name);
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto [number, name] = split(text);
  const auto factor = factor_of(name.empty() ? "ms" : name, duration_units);
  if (!factor) return std::nullopt;
  const auto value = scaled(number, *factor, most);
  if (!value) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(*value));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto [number, name] = split(text);
  auto factor = factor_of(name.empty() ? "B" : name, binary_units);
  if (!factor) factor = factor_of(name, decimal_units);
  if (!factor) return std::nullopt;
  return scaled(number, *factor, std::numeric_limits<std::uint64_t>::max());
}

std::optional<bool> parse_bool(std::string_view text) {
  for (auto word : {"true", "on", "yes", "1"}) {
    if (text == word) return true;
  }
  for (auto word : {"false", "off", "no", "0"}) {
    if (text == word) return false;
  }
  return std::nullopt;
}

std::string format_duration(std::chrono::nanoseconds duration) {
  if (duration.count() == 0) return "0 ms";
  const bool negative = duration.count() < 0;
  // Unsigned negation is defined for the least value too.
  const auto bits = static_cast<std::uint64_t>(duration.count());
  return (negative ? "-" : "") + format(negative ? 0 - bits : bits, duration_units);
}

std::string format_size(std::uint64_t bytes) {
  return format(bytes, binary_units);
}

}  // namespace scalekit
