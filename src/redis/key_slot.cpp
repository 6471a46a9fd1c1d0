#include "redis/key_slot.hpp"

#include <array>
#include <cstddef>

namespace scalekit::redis::detail {
namespace {

constexpr auto table = [] {
  std::array<std::uint16_t, 256> rows{};
  for (unsigned byte = 0; byte < rows.size(); ++byte) {
    unsigned crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
    rows[byte] = static_cast<std::uint16_t>(crc);
  }
  return rows;
}();

}  // namespace

std::uint16_t crc16(std::string_view bytes) noexcept {
  unsigned crc = 0;
  for (const char c : bytes) {
    crc = (crc << 8 ^ table[(crc >> 8 ^ static_cast<unsigned char>(c)) & 0xff]) & 0xffff;
  }
  return static_cast<std::uint16_t>(crc);
}

std::string_view hash_tag(std::string_view key) noexcept {
  const auto open = key.find('{');
  if (open == key.npos) return key;
  const auto close = key.find('}', open + 1);
  if (close == key.npos || close == open + 1) return key;
  return key.substr(open + 1, close - open - 1);
}

std::uint16_t slot_of(std::string_view key) noexcept {
  return crc16(hash_tag(key)) % slot_count;
}

}  // namespace scalekit::redis::detail
