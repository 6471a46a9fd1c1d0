#pragma once

#include "scalekit/core/export.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

// SHA-256 (FIPS 180-4) and its HMAC (RFC 2104).

namespace scalekit::detail {

using sha256_digest = std::array<std::uint8_t, 32>;

class SCALEKIT_EXPORT sha256 {
 public:
  void update(std::string_view bytes) noexcept;
  /// Of all that was given. Call once.
  sha256_digest finish() noexcept;

 private:
  void compress(const std::uint8_t* block) noexcept;

  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<std::uint8_t, 64> block_{};
  std::size_t filled_ = 0;
  std::uint64_t size_ = 0;
};

SCALEKIT_EXPORT sha256_digest hmac_sha256(std::string_view key, std::string_view message) noexcept;

/// In a time that depends on the sizes alone.
SCALEKIT_EXPORT bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept;

}  // namespace scalekit::detail
