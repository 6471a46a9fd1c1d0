#include "db/postgres/wire_encode.hpp"

#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_encode_array.hpp"
#include "db/postgres/wire_time.hpp"
#include "db/postgres/wire_types.hpp"
#include "scalekit/core/array_view.hpp"
#include "scalekit/core/error.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

namespace scalekit::db::postgres {
namespace {

[[noreturn]] void refuse(parameter_place place, std::string_view why) {
  throw error(errc::value_out_of_range, to_string(place) + ": " + std::string(why));
}

/// Nothing: this kind does not go there.
std::optional<wire_form> form_of_integer(std::uint32_t type) noexcept {
  switch (type) {
    case type_oid::boolean:
    case type_oid::int2:
    case type_oid::int4:
    case type_oid::int8:
    case type_oid::oid:
    case type_oid::xid:
    case type_oid::xid8:
    case type_oid::float4:
    case type_oid::float8:
    case type_oid::date:
    case type_oid::time:
    case type_oid::timestamp:
    case type_oid::timestamptz:
      return wire_form::binary;
    case type_oid::numeric:
      return wire_form::text;
    default:
      if (is_known_type(type)) return {};
      return wire_form::text;
  }
}

std::optional<wire_form> form_of_real(std::uint32_t type) noexcept {
  if (type == type_oid::float4 || type == type_oid::float8) return wire_form::binary;
  if (type == type_oid::numeric || !is_known_type(type)) return wire_form::text;
  return {};
}

std::optional<wire_form> form_of_text(std::uint32_t type) noexcept {
  switch (type) {
    // Their binary form is the text itself, and needs no copy.
    case type_oid::text:
    case type_oid::varchar:
    case type_oid::bpchar:
    case type_oid::name:
    case type_oid::json:
    case type_oid::unknown:
      return wire_form::binary;
    case type_oid::bytea:
      return {};
    default:
      return wire_form::text;
  }
}

template <class T>
void append_integer(std::string& to, std::int64_t v, std::string_view range,
                    parameter_place place) {
  if (!std::in_range<T>(v)) refuse(place, "the integer does not fit " + std::string(range));
  append_big_endian(to, static_cast<T>(v));
}

template <class Float, class Bits>
void append_exact(std::string& to, std::int64_t v, std::string_view type, parameter_place place) {
  const auto real = static_cast<Float>(v);
  // 2^63, to which the largest integers are rounded, would not come back.
  const bool comes_back =
      real < Float{9223372036854775808.0f} && static_cast<std::int64_t>(real) == v;
  if (!comes_back) refuse(place, "the integer is not exact as " + std::string(type));
  append_big_endian(to, std::bit_cast<Bits>(real));
}

void append_float4(std::string& to, double v, parameter_place place) {
  const bool overflows = std::isfinite(v) && std::abs(v) > std::numeric_limits<float>::max();
  if (overflows) refuse(place, "the real is beyond the range of float4");
  const auto narrow = static_cast<float>(v);
  if (narrow == 0 && v != 0) refuse(place, "the real is so small that float4 would make it 0");
  append_big_endian(to, std::bit_cast<std::uint32_t>(narrow));
}

void append_timestamp(std::string& to, std::int64_t micros, parameter_place place) {
  if (micros < first_server_micros + epoch_micros) {
    refuse(place, "the time is before 4713 BC, where the server's calendar begins");
  }
  append_big_endian(to, micros - epoch_micros);
}

void append_date(std::string& to, std::int64_t micros, parameter_place place) {
  if (micros % micros_per_day != 0) {
    refuse(place, "the time is not midnight UTC, and a date would drop the rest");
  }
  if (micros < first_server_micros + epoch_micros) {
    refuse(place, "the date is before 4713 BC, where the server's calendar begins");
  }
  append_big_endian(to, static_cast<std::int32_t>(micros / micros_per_day - epoch_days));
}

void append_time(std::string& to, std::int64_t micros, parameter_place place) {
  if (micros < 0 || micros > micros_per_day) {
    refuse(place, "a time is from 0 to 86400000000 microseconds");
  }
  append_big_endian(to, micros);
}

void append_integer_binary(std::string& to, std::int64_t v, std::uint32_t type,
                           parameter_place place) {
  switch (type) {
    case type_oid::boolean:
      if (v != 0 && v != 1) refuse(place, "the integer is neither 0 nor 1, as a bool must be");
      to += static_cast<char>(v);
      return;
    case type_oid::int2:
      return append_integer<std::int16_t>(to, v, "int2 (-32768 to 32767)", place);
    case type_oid::int4:
      return append_integer<std::int32_t>(to, v, "int4 (-2147483648 to 2147483647)", place);
    case type_oid::oid:
    case type_oid::xid:
      return append_integer<std::uint32_t>(to, v, type_name_of(type) + " (0 to 4294967295)", place);
    case type_oid::xid8:
      return append_integer<std::uint64_t>(to, v, "xid8 (0 to 2^64 - 1)", place);
    case type_oid::float4:
      return append_exact<float, std::uint32_t>(to, v, "float4", place);
    case type_oid::float8:
      return append_exact<double, std::uint64_t>(to, v, "float8", place);
    case type_oid::date:
      return append_date(to, v, place);
    case type_oid::time:
      return append_time(to, v, place);
    case type_oid::timestamp:
    case type_oid::timestamptz:
      return append_timestamp(to, v, place);
    default:
      return append_big_endian(to, v);
  }
}

void append_real_text(std::string& to, double v) {
  if (std::isnan(v)) {
    to += "NaN";
  } else if (std::isinf(v)) {
    to += v < 0 ? "-Infinity" : "Infinity";
  } else {
    char text[32];
    auto end = std::to_chars(text, text + sizeof text, v).ptr;
    to.append(text, static_cast<std::size_t>(end - text));
  }
}

}  // namespace

std::string to_string(parameter_place place) {
  std::string text = "parameter $" + std::to_string(place.position);
  if (place.element > 0) text += ", element " + std::to_string(place.element);
  return text;
}

wire_form form_for(const value_view& value, std::uint32_t type, parameter_place place) {
  std::optional<wire_form> form;
  switch (value.kind()) {
    case value_kind::null:
      return wire_form::binary;
    case value_kind::integer:
      form = form_of_integer(type);
      break;
    case value_kind::real:
      form = form_of_real(type);
      break;
    case value_kind::text:
      form = form_of_text(type);
      break;
    case value_kind::blob:
      if (type == type_oid::bytea) form = wire_form::binary;
      break;
    case value_kind::array:
      return form_for_array(value.array(), type, place);
  }
  if (!form) {
    throw error(errc::parameter_mismatch, to_string(place) + " is " + type_name_of(type) +
                                              ", the value bound to it is " +
                                              std::string(scalekit::to_string(value.kind())));
  }
  return *form;
}

void append_binary(std::string& to, const value_view& value, std::uint32_t type,
                   parameter_place place) {
  switch (value.kind()) {
    case value_kind::null:
      return;
    case value_kind::integer:
      return append_integer_binary(to, value.integer(), type, place);
    case value_kind::real:
      if (type == type_oid::float4) return append_float4(to, value.real(), place);
      return append_big_endian(to, std::bit_cast<std::uint64_t>(value.real()));
    case value_kind::text:
      to += checked_text(value.text(), place);
      return;
    case value_kind::blob:
      to.append(reinterpret_cast<const char*>(value.blob().data()), value.blob().size());
      return;
    case value_kind::array:
      return append_array_binary(to, value.array(), type, place);
  }
}

void append_text(std::string& to, const value_view& value, std::uint32_t type,
                 parameter_place place) {
  switch (value.kind()) {
    case value_kind::integer:
      to += std::to_string(value.integer());
      return;
    case value_kind::real:
      return append_real_text(to, value.real());
    case value_kind::text:
      // The server would take the first byte and say nothing of the rest.
      if (type == type_oid::one_char && value.text().size() != 1) {
        refuse(place, "a \"char\" is one byte of text");
      }
      to += checked_text(value.text(), place);
      return;
    case value_kind::array:
      return append_array_text(to, value.array(), type, place);
    case value_kind::null:
    case value_kind::blob:
      return;
  }
}

std::string_view checked_text(std::string_view text, parameter_place place) {
  if (!text.empty() && std::memchr(text.data(), 0, text.size()) != nullptr) {
    refuse(place, "is text with a NUL in it; bind it as bytes");
  }
  return text;
}

}  // namespace scalekit::db::postgres
