#pragma once

#include <string>
#include <string_view>

namespace scalekit::redis::detail {

/// SHA-1 (FIPS 180-4) in hexadecimal: how Redis names scripts. Not for anything that must be safe.
std::string sha1_hex(std::string_view text);

}  // namespace scalekit::redis::detail
