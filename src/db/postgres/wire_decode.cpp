#include "db/postgres/wire_decode.hpp"

#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_time.hpp"
#include "db/postgres/wire_types.hpp"
#include "db/postgres/wire_values.hpp"

#include <bit>
#include <cstdio>
#include <limits>
#include <span>
#include <utility>

namespace scalekit::db::postgres {
namespace {

wire_status decode_text(std::string_view wire, value_view& out, std::string&) {
  out = value_view(wire);
  return wire_status::ok;
}

wire_status decode_bytea(std::string_view wire, value_view& out, std::string&) {
  out = value_view(std::as_bytes(std::span(wire)));
  return wire_status::ok;
}

template <class T>
wire_status decode_integer(std::string_view wire, value_view& out, std::string&) {
  if (wire.size() != sizeof(T)) return wire_status::malformed;
  const T number = load_big_endian<T>(wire.data());
  if (!std::in_range<std::int64_t>(number)) return wire_status::out_of_range;
  out = value_view(static_cast<std::int64_t>(number));
  return wire_status::ok;
}

wire_status decode_bool(std::string_view wire, value_view& out, std::string&) {
  if (wire.size() != 1) return wire_status::malformed;
  out = value_view(std::int64_t{wire[0] != 0});
  return wire_status::ok;
}

template <class Float, class Bits>
wire_status decode_float(std::string_view wire, value_view& out, std::string&) {
  if (wire.size() != sizeof(Bits)) return wire_status::malformed;
  out = value_view(double{std::bit_cast<Float>(load_big_endian<Bits>(wire.data()))});
  return wire_status::ok;
}

/// The server prints "char" so that it is text whatever the byte: nothing for 0, octal above 127.
wire_status decode_one_char(std::string_view wire, value_view& out, std::string& scratch) {
  if (wire.size() != 1) return wire_status::malformed;
  const auto byte = static_cast<unsigned char>(wire[0]);
  if (byte < 0x80) {
    out = value_view(wire.substr(byte == 0 ? 1 : 0));
    return wire_status::ok;
  }
  const char octal[] = {'\\', static_cast<char>('0' + (byte >> 6)),
                        static_cast<char>('0' + ((byte >> 3) & 7)),
                        static_cast<char>('0' + (byte & 7))};
  scratch.assign(octal, sizeof octal);
  out = value_view(std::string_view(scratch));
  return wire_status::ok;
}

wire_status decode_jsonb(std::string_view wire, value_view& out, std::string&) {
  if (wire.empty() || wire[0] != 1) return wire_status::malformed;
  out = value_view(wire.substr(1));
  return wire_status::ok;
}

wire_status decode_uuid(std::string_view wire, value_view& out, std::string& scratch) {
  if (wire.size() != 16) return wire_status::malformed;
  scratch.clear();
  for (std::size_t i = 0; i < wire.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) scratch += '-';
    const auto byte = static_cast<unsigned char>(wire[i]);
    scratch += "0123456789abcdef"[byte >> 4];
    scratch += "0123456789abcdef"[byte & 15];
  }
  out = value_view(std::string_view(scratch));
  return wire_status::ok;
}

wire_status decode_pg_lsn(std::string_view wire, value_view& out, std::string& scratch) {
  if (wire.size() != 8) return wire_status::malformed;
  char digits[20];
  const int size = std::snprintf(digits, sizeof digits, "%X/%X",
                                 unsigned{load_big_endian<std::uint32_t>(wire.data())},
                                 unsigned{load_big_endian<std::uint32_t>(wire.data() + 4)});
  scratch.assign(digits, static_cast<std::size_t>(size));
  out = value_view(std::string_view(scratch));
  return wire_status::ok;
}

wire_status decode_date(std::string_view wire, value_view& out, std::string&) {
  if (wire.size() != 4) return wire_status::malformed;
  // The infinities are the two ends of 32 bits, which days_to_micros() refuses as well.
  std::int64_t micros = 0;
  const std::int64_t days = load_big_endian<std::int32_t>(wire.data());
  if (!days_to_micros(days + epoch_days, micros)) return wire_status::out_of_range;
  out = value_view(micros);
  return wire_status::ok;
}

wire_status decode_timestamp(std::string_view wire, value_view& out, std::string&) {
  if (wire.size() != 8) return wire_status::malformed;
  const auto micros = load_big_endian<std::int64_t>(wire.data());
  // The infinities are the two ends of 64 bits.
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  if (micros == least || micros > most - epoch_micros) return wire_status::out_of_range;
  out = value_view(micros + epoch_micros);
  return wire_status::ok;
}

wire_status decode_time(std::string_view wire, value_view& out, std::string&) {
  if (wire.size() != 8) return wire_status::malformed;
  const auto micros = load_big_endian<std::int64_t>(wire.data());
  if (micros < 0 || micros > micros_per_day) return wire_status::malformed;
  out = value_view(micros);
  return wire_status::ok;
}

wire_status decode_unsupported(std::string_view, value_view&, std::string&) {
  return wire_status::unsupported;
}

}  // namespace

decode_function decoder_for(std::uint32_t type) noexcept {
  switch (type) {
    case type_oid::text:
    case type_oid::varchar:
    case type_oid::bpchar:
    case type_oid::name:
    case type_oid::json:
    case type_oid::xml:
    case type_oid::unknown:
    case type_oid::void_:
      return decode_text;
    case type_oid::one_char:
      return decode_one_char;
    case type_oid::bytea:
      return decode_bytea;
    case type_oid::jsonb:
      return decode_jsonb;
    case type_oid::boolean:
      return decode_bool;
    case type_oid::int2:
      return decode_integer<std::int16_t>;
    case type_oid::int4:
      return decode_integer<std::int32_t>;
    case type_oid::int8:
      return decode_integer<std::int64_t>;
    case type_oid::oid:
    case type_oid::xid:
      return decode_integer<std::uint32_t>;
    case type_oid::xid8:
      return decode_integer<std::uint64_t>;
    case type_oid::float4:
      return decode_float<float, std::uint32_t>;
    case type_oid::float8:
      return decode_float<double, std::uint64_t>;
    case type_oid::numeric:
      return decode_numeric;
    case type_oid::uuid:
      return decode_uuid;
    case type_oid::inet:
    case type_oid::cidr:
      return decode_network;
    case type_oid::macaddr:
      return decode_macaddr;
    case type_oid::pg_lsn:
      return decode_pg_lsn;
    case type_oid::date:
      return decode_date;
    case type_oid::timestamp:
    case type_oid::timestamptz:
      return decode_timestamp;
    case type_oid::time:
      return decode_time;
    case type_oid::interval:
      return decode_interval;
    default:
      return element_type_of(type) != 0 ? decode_array : decode_unsupported;
  }
}

bool is_binary_decodable(std::uint32_t type) noexcept {
  return decoder_for(type) != decode_unsupported;
}

}  // namespace scalekit::db::postgres
