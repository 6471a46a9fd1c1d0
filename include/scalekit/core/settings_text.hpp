#pragma once

#include "scalekit/core/export.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// How durations, sizes and switches are written in URLs and files. The parsers take exactly one
// value, with blanks around it and before its unit; anything else gives nothing.

namespace scalekit {

/// "250ms", "5 min", "1.5h". Units: ns, us, ms, s, min, h, d. A plain number is milliseconds.
/// Not negative; nothing for what is longer than 292 years.
SCALEKIT_EXPORT std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

/// "64MiB", "1.5 GiB", "500 kB". Units: B, KiB, MiB, GiB, TiB (powers of 1024) and kB, MB, GB, TB
/// (powers of 1000). A plain number is bytes. A fraction of a byte is cut off.
SCALEKIT_EXPORT std::optional<std::uint64_t> parse_size(std::string_view text);

/// true, on, yes, 1; false, off, no, 0. In lower case.
SCALEKIT_EXPORT std::optional<bool> parse_bool(std::string_view text);

/// In the greatest unit that needs no fraction: 90 s is "90 s", 120 s is "2 min".
SCALEKIT_EXPORT std::string format_duration(std::chrono::nanoseconds duration);

/// In the greatest power of 1024 that needs no fraction: "64 MiB", "1000 B".
SCALEKIT_EXPORT std::string format_size(std::uint64_t bytes);

}  // namespace scalekit
