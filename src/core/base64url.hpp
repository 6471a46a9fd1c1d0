#pragma once

#include "scalekit/core/export.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace scalekit::detail {

/// RFC 4648 section 5, without padding.
SCALEKIT_EXPORT std::string to_base64url(std::string_view bytes);

/// None for anything to_base64url() does not make: other characters, padding, stray last bits.
SCALEKIT_EXPORT std::optional<std::string> from_base64url(std::string_view text);

}  // namespace scalekit::detail
