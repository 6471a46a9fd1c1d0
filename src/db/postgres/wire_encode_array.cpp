#include "db/postgres/wire_encode_array.hpp"

#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_types.hpp"
#include "scalekit/core/error.hpp"

namespace scalekit::db::postgres {
namespace {

/// The first element that is not null, which stands for them all; null if there is none.
value_view sample_of(const array_view& array) noexcept {
  for (const value_view element : array) {
    if (!element.is_null()) return element;
  }
  return {};
}

[[noreturn]] void refuse(const array_view& array, std::uint32_t type, parameter_place place) {
  std::string text = to_string(place) + " is " + type_name_of(type);
  text += ", the value bound to it is an array of ";
  throw error(errc::parameter_mismatch,
              text + std::string(scalekit::to_string(array.element_kind())));
}

void append_quoted(std::string& to, std::string_view text) {
  to += '"';
  for (char c : text) {
    if (c == '"' || c == '\\') to += '\\';
    to += c;
  }
  to += '"';
}

}  // namespace

wire_form form_for_array(const array_view& array, std::uint32_t type, parameter_place place) {
  const std::uint32_t element_type = element_type_of(type);
  if (element_type == 0) {
    // An array of enums, perhaps: the server knows, and has a text form for all but blobs here.
    if (is_known_type(type) || array.element_kind() == value_kind::blob) {
      refuse(array, type, place);
    }
    return wire_form::text;
  }
  try {
    return form_for(sample_of(array), element_type, place);
  } catch (const error&) {
    refuse(array, type, place);
  }
}

void append_array_binary(std::string& to, const array_view& array, std::uint32_t type,
                         parameter_place place) {
  const std::uint32_t element_type = element_type_of(type);
  append_big_endian(to, std::int32_t{array.empty() ? 0 : 1});
  append_big_endian(to, std::int32_t{1});  // nulls may be in it
  append_big_endian(to, element_type);
  if (array.empty()) return;
  append_big_endian(to, static_cast<std::int32_t>(array.size()));
  append_big_endian(to, std::int32_t{1});
  for (const value_view element : array) {
    ++place.element;
    const std::size_t at = to.size();
    append_big_endian(to, std::int32_t{-1});
    if (element.is_null()) continue;
    append_binary(to, element, element_type, place);
    store_big_endian(to.data() + at, static_cast<std::int32_t>(to.size() - at - 4));
  }
}

void append_array_text(std::string& to, const array_view& array, std::uint32_t type,
                       parameter_place place) {
  const std::uint32_t element_type = element_type_of(type);
  std::string text;
  to += '{';
  for (const value_view element : array) {
    if (place.element++ > 0) to += ',';
    if (element.is_null()) {
      to += "NULL";
      continue;
    }
    text.clear();
    append_text(text, element, element_type, place);
    append_quoted(to, text);
  }
  to += '}';
}

}  // namespace scalekit::db::postgres
