#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// Reading what a client sent. Every function throws problem (400) that names the field, what it
// found and what is legal: the person at the other end has to fix it without our help.

namespace storefront {

boost::json::object parse_object(std::string_view body);

std::int64_t integer_field(const boost::json::object& from, std::string_view name,
                           std::int64_t least, std::int64_t most);

/// Non-empty, at most `most` bytes, no control characters.
std::string text_field(const boost::json::object& from, std::string_view name, std::size_t most);

/// 1 to `most` elements.
const boost::json::array& array_field(const boost::json::object& from, std::string_view name,
                                      std::size_t most);

}  // namespace storefront
