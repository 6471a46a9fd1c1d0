#include "db/postgres/wire_decode.hpp"
#include "db/postgres/wire_types.hpp"
#include "db/postgres/wire_values.hpp"

#include <charconv>
#include <span>
#include <utility>

namespace scalekit::db::postgres {
namespace {

wire_status text_as_text(std::string_view wire, value_view& out, std::string&) {
  out = value_view(wire);
  return wire_status::ok;
}

wire_status text_as_integer(std::string_view wire, value_view& out, std::string&) {
  std::int64_t number = 0;
  const char* const last = wire.data() + wire.size();
  const auto [end, ec] = std::from_chars(wire.data(), last, number);
  if (end != last || ec == std::errc::invalid_argument) return wire_status::malformed;
  if (ec == std::errc::result_out_of_range) return wire_status::out_of_range;
  out = value_view(number);
  return wire_status::ok;
}

wire_status text_as_bool(std::string_view wire, value_view& out, std::string&) {
  if (wire != "t" && wire != "f") return wire_status::malformed;
  out = value_view(std::int64_t{wire == "t"});
  return wire_status::ok;
}

/// A float4 must not get the digits of a double.
template <class Float>
wire_status text_as_real(std::string_view wire, value_view& out, std::string&) {
  Float number = 0;
  const char* const last = wire.data() + wire.size();
  const auto [end, ec] = std::from_chars(wire.data(), last, number);
  if (end != last || ec != std::errc{}) return wire_status::malformed;
  out = value_view(double{number});
  return wire_status::ok;
}

/// Below 0: not a digit to that base.
int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

wire_status hex_as_blob(std::string_view hex, std::string& scratch) {
  if (hex.size() % 2 != 0) return wire_status::malformed;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = digit_of(hex[i]), low = digit_of(hex[i + 1]);
    if (high < 0 || low < 0) return wire_status::malformed;
    scratch += static_cast<char>(high * 16 + low);
  }
  return wire_status::ok;
}

/// The older form: a backslash is two of them, what cannot be printed is \ooo.
wire_status escaped_as_blob(std::string_view text, std::string& scratch) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      scratch += text[i];
      continue;
    }
    const auto rest = text.substr(i + 1);
    if (rest.starts_with('\\')) {
      scratch += '\\';
      ++i;
      continue;
    }
    if (rest.size() < 3) return wire_status::malformed;
    int byte = 0;
    for (char c : rest.substr(0, 3)) {
      if (c < '0' || c > '7') return wire_status::malformed;
      byte = byte * 8 + (c - '0');
    }
    if (byte > 255) return wire_status::malformed;
    scratch += static_cast<char>(byte);
    i += 3;
  }
  return wire_status::ok;
}

wire_status text_as_bytea(std::string_view wire, value_view& out, std::string& scratch) {
  scratch.clear();
  const auto status = wire.starts_with("\\x") ? hex_as_blob(wire.substr(2), scratch)
                                              : escaped_as_blob(wire, scratch);
  out = value_view(std::as_bytes(std::span(std::as_const(scratch))));
  return status;
}

decode_function scalar_decoder(std::uint32_t type) noexcept {
  switch (type) {
    case type_oid::boolean:
      return text_as_bool;
    case type_oid::int2:
    case type_oid::int4:
    case type_oid::int8:
    case type_oid::oid:
    case type_oid::xid:
    case type_oid::xid8:
      return text_as_integer;
    case type_oid::float4:
      return text_as_real<float>;
    case type_oid::float8:
      return text_as_real<double>;
    case type_oid::bytea:
      return text_as_bytea;
    case type_oid::date:
    case type_oid::timestamp:
    case type_oid::timestamptz:
      return decode_timestamp_text;
    case type_oid::time:
      return decode_time_text;
    default:
      return text_as_text;
  }
}

/// The bytes do not say of which type the elements are, so there is an instance for each decoder.
template <std::uint32_t Element>
wire_status text_as_array(std::string_view wire, value_view& out, std::string& scratch) {
  return decode_array_text(wire, scalar_decoder(Element), out, scratch);
}

decode_function array_decoder(std::uint32_t element) noexcept {
  switch (element) {
    case type_oid::boolean:
      return text_as_array<type_oid::boolean>;
    case type_oid::int2:
    case type_oid::int4:
    case type_oid::int8:
    case type_oid::oid:
    case type_oid::xid:
    case type_oid::xid8:
      return text_as_array<type_oid::int8>;
    case type_oid::float4:
      return text_as_array<type_oid::float4>;
    case type_oid::float8:
      return text_as_array<type_oid::float8>;
    case type_oid::bytea:
      return text_as_array<type_oid::bytea>;
    case type_oid::date:
    case type_oid::timestamp:
    case type_oid::timestamptz:
      return text_as_array<type_oid::timestamp>;
    case type_oid::time:
      return text_as_array<type_oid::time>;
    default:
      return text_as_array<type_oid::text>;
  }
}

}  // namespace

decode_function text_decoder_for(std::uint32_t type) noexcept {
  const std::uint32_t element = element_type_of(type);
  return element != 0 ? array_decoder(element) : scalar_decoder(type);
}

}  // namespace scalekit::db::postgres
