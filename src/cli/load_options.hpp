#pragma once

// What the arguments of `scalekit load` mean. No I/O.

#include "scalekit/ops/load_generator.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace scalekit::cli {

/// The parts of a URL that a load run needs.
struct load_url {
  std::string host;
  std::uint16_t port = 80;
  /// Path and query, at least "/".
  std::string target;
};

/// Throws std::invalid_argument for anything but http://HOST[:PORT][/PATH][?QUERY].
load_url parse_load_url(std::string_view text);

/// "500ms", "30s", "2m", "1h"; fractions are allowed. Throws std::invalid_argument.
std::chrono::nanoseconds parse_duration(std::string_view text);

/// "DURATION:RATE" or "DURATION:FROM-TO", for example "30s:100" and "1m:100-500". Throws
/// std::invalid_argument.
ops::load_stage parse_stage(std::string_view text);

}  // namespace scalekit::cli
