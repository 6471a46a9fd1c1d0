#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

// Numbers on PostgreSQL's wire: big-endian, two's complement, not aligned.

namespace scalekit::db::postgres {

/// Precondition: sizeof(T) bytes are there.
template <class T>
T load_big_endian(const char* from) noexcept {
  using raw = std::make_unsigned_t<T>;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = (value << 8) | static_cast<unsigned char>(from[i]);
  }
  return static_cast<T>(static_cast<raw>(value));
}

template <class T>
void store_big_endian(char* to, T value) noexcept {
  auto raw = static_cast<std::make_unsigned_t<T>>(value);
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    to[i] = static_cast<char>(raw >> (8 * (sizeof(T) - 1 - i)));
  }
}

template <class T>
void append_big_endian(std::string& to, T value) {
  char raw[sizeof(T)];
  store_big_endian(raw, value);
  to.append(raw, sizeof(T));
}

}  // namespace scalekit::db::postgres
