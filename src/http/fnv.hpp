#pragma once

#include <cstdint>
#include <string_view>

namespace scalekit::http::detail {

/// FNV-1a, 64 bits: the same on every machine. Notices accidents, not attacks.
constexpr std::uint64_t fnv1a(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

}  // namespace scalekit::http::detail
