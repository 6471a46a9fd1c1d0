#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/http/header.hpp"

#include <string_view>

namespace scalekit::http {

/// `Link: <target?name=cursor>; rel="next"` (RFC 8288) for the page after this one.
///
/// `cursor` says where this page ended, as db::keyset::cursor() does. `target` is the request's own
/// path and query ("/products?category=sofa&after=..."): a parameter called `parameter` in it is
/// replaced, others stay. Throws scalekit::error with errc::invalid_argument when `target` holds
/// what has no place in a header's URI: blanks, control characters, `<`, `>`, `"`, `#`.
SCALEKIT_EXPORT header next_link(std::string_view target, std::string_view cursor,
                                 std::string_view parameter = "after");

}  // namespace scalekit::http
