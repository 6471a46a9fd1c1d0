#pragma once

// 128-bit keyed hash of identities.
//
// Two lanes of folded 64x64 multiplications, each word masked by a secret of its own. Not a
// cryptographic hash, and it need not be: its output never leaves the process, and without the
// secrets nobody can compute, or find by trying, two keys that share a bucket.

#include <array>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace scalekit::limit::detail {

struct key_hash {
  std::uint64_t lo;
  std::uint64_t hi;
};

class key_hasher {
 public:
  struct secrets {
    std::array<std::uint64_t, 6> words;

    static secrets draw() {
      std::random_device source;
      secrets drawn{};
      for (auto& word : drawn.words) word = (std::uint64_t{source()} << 32) | source();
      return drawn;
    }
  };

  explicit key_hasher(const secrets& s) noexcept : s_(s), lo_(s.words[0]), hi_(s.words[1]) {}

  /// The parts of a key one after the other; ("ab", "c") and ("a", "bc") differ.
  void add(std::string_view part) noexcept {
    const auto* p = part.data();
    auto n = part.size();
    // Multiplied by a secret, so that no content can make up for another length.
    lo_ ^= n * (s_.words[0] | 1);
    hi_ ^= n * (s_.words[1] | 1);
    for (; n > 16; n -= 16, p += 16) mix(read<8>(p), read<8>(p + 8));
    // The last 0 to 16 bytes in two words that may overlap: no loop over single bytes.
    if (n >= 8) {
      mix(read<8>(p), read<8>(p + n - 8));
    } else if (n >= 4) {
      mix(read<4>(p), read<4>(p + n - 4));
    } else if (n > 0) {
      auto at = [p](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])}; };
      mix(at(0) << 8 | at(n - 1), at(n / 2));
    } else {
      mix(0, 0);
    }
  }

  /// Never {0, 0}, which marks a cell that was never used.
  key_hash finish() const noexcept { return {lo_, hi_ | 1}; }

 private:
  template <std::size_t Bytes>
  static std::uint64_t read(const char* p) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, p, Bytes);
    return word;
  }

  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    __extension__ using wide = unsigned __int128;
    auto product = static_cast<wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  void mix(std::uint64_t x, std::uint64_t y) noexcept {
    lo_ = fold(lo_ ^ x ^ s_.words[2], y ^ s_.words[3]);
    hi_ = fold(hi_ ^ y ^ s_.words[4], x ^ s_.words[5]);
  }

  const secrets& s_;
  std::uint64_t lo_;
  std::uint64_t hi_;
};

}  // namespace scalekit::limit::detail
