#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/value.hpp"

#include <string>
#include <string_view>

namespace scalekit::detail {

/// Appends a value: its kind (a byte), then of an integer or a real 8 bytes, of a text, a blob or
/// an array 8 bytes of size and the content, little endian. Different lists of values never pack to
/// the same bytes. It is part of the page cursors that are out there: never change what it means.
SCALEKIT_EXPORT void pack(std::string& to, const value_view& value);

/// Takes a value from the front of `from`, into which it points. Throws errc::corrupt for what
/// pack() has not written.
SCALEKIT_EXPORT value_view unpack(std::string_view& from);

}  // namespace scalekit::detail
