#pragma once

#include "scalekit/core/value.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// One value to one type; wire_parameters.hpp has the table of what goes where.

namespace scalekit::db::postgres {

enum class wire_form : std::uint8_t { text, binary };

/// What an error is about: parameter $position (from 1), and in an array the element (from 1).
struct parameter_place {
  std::size_t position = 0;
  std::size_t element = 0;
};

/// "parameter $2", "parameter $2, element 7".
std::string to_string(parameter_place place);

/// In which form `value` goes into a parameter of `type`; null goes in binary. Throws
/// errc::parameter_mismatch where it does not.
wire_form form_for(const value_view& value, std::uint32_t type, parameter_place place);

/// Append the value. Both throw errc::value_out_of_range for what does not fit.
/// Precondition: form_for() said so, and the value is not null.
void append_binary(std::string& to, const value_view& value, std::uint32_t type,
                   parameter_place place);
void append_text(std::string& to, const value_view& value, std::uint32_t type,
                 parameter_place place);

/// Throws errc::value_out_of_range for text with a NUL in it, which PostgreSQL cannot store.
std::string_view checked_text(std::string_view text, parameter_place place);

}  // namespace scalekit::db::postgres
