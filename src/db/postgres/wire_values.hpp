#pragma once

#include "db/postgres/wire_decode.hpp"

#include <string>
#include <string_view>

// The decoders that are more than a load, a type each. They are of the form of decode_function and
// promise what that does.

namespace scalekit::db::postgres {

// Binary format; each to text, exactly as the server would print it.
wire_status decode_numeric(std::string_view wire, value_view& out, std::string& scratch);
wire_status decode_interval(std::string_view wire, value_view& out, std::string& scratch);
wire_status decode_network(std::string_view wire, value_view& out, std::string& scratch);
wire_status decode_macaddr(std::string_view wire, value_view& out, std::string& scratch);

/// An array of any type that has a decoder; the elements' type stands in the bytes.
wire_status decode_array(std::string_view wire, value_view& out, std::string& scratch);

// Text format; dates and times to microseconds.
wire_status decode_timestamp_text(std::string_view wire, value_view& out, std::string& scratch);
wire_status decode_time_text(std::string_view wire, value_view& out, std::string& scratch);

/// An array whose elements `element` decodes.
wire_status decode_array_text(std::string_view wire, decode_function element, value_view& out,
                              std::string& scratch);

}  // namespace scalekit::db::postgres
