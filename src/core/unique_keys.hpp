#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace scalekit::detail {

/// The first key that stands twice in one object of `json`; nothing when there is none. Parsers
/// keep the last of such values and say nothing. Precondition: `json` is valid (comments and
/// trailing commas are).
std::optional<std::string> find_repeated_key(std::string_view json);

}  // namespace scalekit::detail
