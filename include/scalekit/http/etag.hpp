#pragma once

#include "scalekit/core/export.hpp"

#include <string>
#include <string_view>

namespace scalekit::http {

/// A strong entity tag (RFC 9110 section 8.8.3), quotes included, of a representation's bytes:
/// equal for equal bytes, on every machine and in every version of scalekit.
///
/// 64 bits of FNV-1a and the length: made to notice change, not to withstand someone who builds
/// two bodies with one tag.
SCALEKIT_EXPORT std::string strong_etag(std::string_view body);

/// Whether `if_none_match`, the request header's value, names `etag` or is "*": then a GET or HEAD
/// is answered with 304 and no body. Weak comparison, as section 13.1.2 asks for. False for an
/// empty or malformed header.
SCALEKIT_EXPORT bool matches_etag(std::string_view if_none_match, std::string_view etag) noexcept;

}  // namespace scalekit::http
