#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/result.hpp"
#include "scalekit/http/header.hpp"

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::http {

/// The longest cursor text that is made or read, in characters.
inline constexpr std::size_t max_cursor_size = 1024;

/// Where a page ended, as an opaque text for a URL: the sort key of its last row, as many fields
/// as the query orders by (`order by name, id` needs both). Bytes of any content.
///
/// The text is base64url (RFC 4648 section 5, no padding) of a version, the fields and a checksum
/// of them: damage is noticed, forgery is not. Treat decoded fields as input from outside: bind
/// them, never paste them into SQL.
///
/// Throws scalekit::error with errc::too_large when the text would exceed max_cursor_size, or
/// there are more than 16 fields.
SCALEKIT_EXPORT std::string encode_cursor(std::span<const std::string_view> fields);
inline std::string encode_cursor(std::initializer_list<std::string_view> fields) {
  return encode_cursor(std::span{fields.begin(), fields.size()});
}

/// The fields of a cursor made by encode_cursor().
///
/// `expected` is the number of fields the query needs. Errors: errc::invalid_argument for a text
/// that was not made by encode_cursor(), was damaged, is of another version or holds another
/// number of fields: answer it with 400. The text is not repeated in the error.
SCALEKIT_EXPORT result<std::vector<std::string>> decode_cursor(std::string_view text,
                                                               std::size_t expected);

/// `Link: <target?name=cursor>; rel="next"` (RFC 8288) for the page after this one.
///
/// `target` is the request's own path and query ("/products?category=sofa&after=..."): a parameter
/// called `parameter` in it is replaced, others stay. Throws scalekit::error with
/// errc::invalid_argument when `target` holds what has no place in a header's URI: blanks, control
/// characters, `<`, `>`, `"`, `#`.
SCALEKIT_EXPORT header next_link(std::string_view target, std::string_view cursor,
                                 std::string_view parameter = "after");

}  // namespace scalekit::http
