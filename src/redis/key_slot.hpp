#pragma once

#include <cstdint>
#include <string_view>

// Which of a cluster's slots a key is in, as the Redis Cluster specification says ("Key
// distribution model").

namespace scalekit::redis::detail {

inline constexpr std::uint16_t slot_count = 16384;

/// CRC16 of the kind called XMODEM: polynomial 0x1021, beginning with 0, nothing reflected.
std::uint16_t crc16(std::string_view bytes) noexcept;

/// What of a key is hashed: what stands between its first '{' and the first '}' after it, where
/// that is anything; else all of it.
std::string_view hash_tag(std::string_view key) noexcept;

std::uint16_t slot_of(std::string_view key) noexcept;

}  // namespace scalekit::redis::detail
