#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace scalekit::slow {

/// The two halves of a 128-bit product, folded: the mixer of wyhash.
inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using wide = unsigned __int128;
  const auto product = static_cast<wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// A fast 64-bit hash, equal in every process. Not for keys that an attacker chooses: a collision
/// only counts two statements as one.
inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed = 0) noexcept {
  constexpr std::uint64_t k0 = 0xa0761d6478bd642f;
  constexpr std::uint64_t k1 = 0xe7037ed1a0b428db;
  const char* at = bytes.data();
  auto left = bytes.size();
  auto read = [](const char* p) {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
    return word;
  };
  std::uint64_t h = seed ^ mix(bytes.size() ^ k0, k1);
  for (; left > 16; left -= 16, at += 16) h = mix(read(at) ^ k0, read(at + 8) ^ h);
  std::uint64_t tail[2] = {0, 0};
  if (left != 0) std::memcpy(tail, at, left);
  h = mix(tail[0] ^ k1, tail[1] ^ h);
  return mix(h ^ k0, k1);
}

}  // namespace scalekit::slow
