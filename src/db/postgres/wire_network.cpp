#include "db/postgres/wire_bytes.hpp"
#include "db/postgres/wire_values.hpp"

#include <array>
#include <cstdio>

// inet and cidr on the wire, a byte each: family, bits of the network mask, whether it is a cidr,
// size of the address; then the address.

namespace scalekit::db::postgres {
namespace {

constexpr unsigned family_v4 = 2;
constexpr unsigned family_v6 = 3;  // the server's own number, on every platform

unsigned byte_at(std::string_view wire, std::size_t i) noexcept {
  return static_cast<unsigned char>(wire[i]);
}

template <class... Args>
void append_format(std::string& to, const char* format, Args... args) {
  char text[32];
  const int size = std::snprintf(text, sizeof text, format, args...);
  to.append(text, static_cast<std::size_t>(size));
}

void append_v4(std::string& to, std::string_view a) {
  append_format(to, "%u.%u.%u.%u", byte_at(a, 0), byte_at(a, 1), byte_at(a, 2), byte_at(a, 3));
}

struct run {
  std::size_t begin = 0;
  std::size_t size = 0;
};

using words = std::array<unsigned, 8>;

/// The longest run of at least two zero words, the first of equals.
run longest_zeros(const words& w) noexcept {
  run best, current;
  for (std::size_t i = 0; i < w.size(); ++i) {
    current = w[i] != 0 ? run{i + 1, 0} : run{current.begin, current.size + 1};
    if (current.size > best.size) best = current;
  }
  return best.size >= 2 ? best : run{};
}

void append_v6(std::string& to, std::string_view address) {
  words w{};
  for (std::size_t i = 0; i < w.size(); ++i) {
    w[i] = load_big_endian<std::uint16_t>(address.data() + 2 * i);
  }
  const run zeros = longest_zeros(w);
  // Addresses that hold one of IPv4 show it as such.
  const bool holds_v4 =
      zeros.begin == 0 && (zeros.size == 6 || (zeros.size == 5 && w[5] == 0xffff));
  const std::size_t end = holds_v4 ? 6 : w.size();
  for (std::size_t i = 0; i < end;) {
    if (zeros.size > 0 && i == zeros.begin) {
      to += "::";
      i = zeros.begin + zeros.size;
      continue;
    }
    if (i > 0 && to.back() != ':') to += ':';
    append_format(to, "%x", w[i]);
    ++i;
  }
  if (!holds_v4) return;
  if (to.back() != ':') to += ':';
  append_v4(to, address.substr(12));
}

}  // namespace

wire_status decode_network(std::string_view wire, value_view& out, std::string& scratch) {
  if (wire.size() < 4) return wire_status::malformed;
  const unsigned family = byte_at(wire, 0);
  if (family != family_v4 && family != family_v6) return wire_status::malformed;
  const unsigned size = family == family_v4 ? 4 : 16;
  const unsigned bits = byte_at(wire, 1);
  if (byte_at(wire, 3) != size || wire.size() != 4 + size || bits > 8 * size) {
    return wire_status::malformed;
  }
  scratch.clear();
  const auto address = wire.substr(4);
  family == family_v4 ? append_v4(scratch, address) : append_v6(scratch, address);
  const bool is_cidr = byte_at(wire, 2) != 0;
  if (is_cidr || bits != 8 * size) append_format(scratch, "/%u", bits);
  out = value_view(std::string_view(scratch));
  return wire_status::ok;
}

wire_status decode_macaddr(std::string_view wire, value_view& out, std::string& scratch) {
  if (wire.size() != 6) return wire_status::malformed;
  scratch.clear();
  for (std::size_t i = 0; i < 6; ++i) {
    append_format(scratch, i == 0 ? "%02x" : ":%02x", byte_at(wire, i));
  }
  out = value_view(std::string_view(scratch));
  return wire_status::ok;
}

}  // namespace scalekit::db::postgres
