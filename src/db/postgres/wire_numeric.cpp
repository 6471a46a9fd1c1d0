#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_values.hpp"

// numeric on the wire: how many digits to base 10000, the power of 10000 of the first one, the
// sign, how many decimal digits to show behind the point, the digits; all of 16 bits.

namespace scalekit::db::postgres {
namespace {

constexpr std::size_t header_size = 8;
constexpr unsigned sign_negative = 0x4000;
constexpr unsigned sign_nan = 0xc000;
constexpr unsigned sign_infinity = 0xd000;
constexpr unsigned sign_negative_infinity = 0xf000;
constexpr unsigned most_scale = 0x3fff;

void append_four(std::string& to, unsigned digit) {
  const char decimal[] = {
      static_cast<char>('0' + digit / 1000), static_cast<char>('0' + digit / 100 % 10),
      static_cast<char>('0' + digit / 10 % 10), static_cast<char>('0' + digit % 10)};
  to.append(decimal, sizeof decimal);
}

wire_status special(std::string_view name, value_view& out, std::string& scratch) {
  scratch.assign(name);
  out = value_view(std::string_view(scratch));
  return wire_status::ok;
}

}  // namespace

wire_status decode_numeric(std::string_view wire, value_view& out, std::string& scratch) {
  if (wire.size() < header_size) return wire_status::malformed;
  const std::size_t count = load_big_endian<std::uint16_t>(wire.data());
  const int weight = load_big_endian<std::int16_t>(wire.data() + 2);
  const unsigned sign = load_big_endian<std::uint16_t>(wire.data() + 4);
  const unsigned scale = load_big_endian<std::uint16_t>(wire.data() + 6);
  if (wire.size() != header_size + 2 * count) return wire_status::malformed;
  if (sign == sign_nan) return special("NaN", out, scratch);
  if (sign == sign_infinity) return special("Infinity", out, scratch);
  if (sign == sign_negative_infinity) return special("-Infinity", out, scratch);
  if ((sign != 0 && sign != sign_negative) || scale > most_scale) return wire_status::malformed;

  for (std::size_t i = 0; i < count; ++i) {
    const auto digit = load_big_endian<std::uint16_t>(wire.data() + header_size + 2 * i);
    if (digit > 9999) return wire_status::malformed;
  }
  // The digit for 10000^power; nothing but the digits that were sent are stored.
  auto digit_of = [&](int power) -> unsigned {
    const int index = weight - power;
    if (index < 0 || static_cast<std::size_t>(index) >= count) return 0;
    return load_big_endian<std::uint16_t>(wire.data() + header_size +
                                          2 * static_cast<std::size_t>(index));
  };

  scratch.clear();
  if (sign == sign_negative) scratch += '-';
  scratch += std::to_string(weight < 0 ? 0U : digit_of(weight));
  for (int power = weight - 1; power >= 0; --power) append_four(scratch, digit_of(power));
  if (scale > 0) {
    scratch += '.';
    const std::size_t end = scratch.size() + scale;
    for (int power = -1; scratch.size() < end; --power) append_four(scratch, digit_of(power));
    scratch.resize(end);
  }
  out = value_view(std::string_view(scratch));
  return wire_status::ok;
}

}  // namespace scalekit::db::postgres
