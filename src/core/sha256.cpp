#include "core/sha256.hpp"

#include <boost/endian/conversion.hpp>

#include <algorithm>
#include <bit>

namespace scalekit::detail {
namespace {

constexpr std::array<std::uint32_t, 64> round_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::string_view as_text(const std::uint8_t* bytes, std::size_t size) noexcept {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

void sha256::update(std::string_view bytes) noexcept {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const auto part = std::min(bytes.size(), block_.size() - filled_);
    std::copy_n(bytes.begin(), part, block_.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += part;
    bytes.remove_prefix(part);
    if (filled_ < block_.size()) return;
    compress(block_.data());
    filled_ = 0;
  }
}

sha256_digest sha256::finish() noexcept {
  const auto bits = size_ * 8;
  update(std::string_view("\x80", 1));
  constexpr std::size_t length_at = 56;
  while (filled_ != length_at) update(std::string_view("\0", 1));
  std::array<std::uint8_t, 8> length;
  boost::endian::store_big_u64(length.data(), bits);
  update(as_text(length.data(), length.size()));
  sha256_digest digest;
  for (std::size_t i = 0; i < state_.size(); ++i) {
    boost::endian::store_big_u32(digest.data() + 4 * i, state_[i]);
  }
  return digest;
}

/// The names are those of FIPS 180-4, section 6.2.2.
void sha256::compress(const std::uint8_t* block) noexcept {
  using std::rotr;
  std::array<std::uint32_t, 64> w;
  for (std::size_t t = 0; t < 16; ++t) w[t] = boost::endian::load_big_u32(block + 4 * t);
  for (std::size_t t = 16; t < 64; ++t) {
    const auto s0 = rotr(w[t - 15], 7) ^ rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
    const auto s1 = rotr(w[t - 2], 17) ^ rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
    w[t] = s1 + w[t - 7] + s0 + w[t - 16];
  }
  auto [a, b, c, d, e, f, g, h] = state_;
  for (std::size_t t = 0; t < 64; ++t) {
    const auto t1 = h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + ((e & f) ^ (~e & g)) +
                    round_constants[t] + w[t];
    const auto t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g;
    g = f;
    f = e;
    e = d + t1;
    d = c;
    c = b;
    b = a;
    a = t1 + t2;
  }
  const std::array<std::uint32_t, 8> worked{a, b, c, d, e, f, g, h};
  for (std::size_t i = 0; i < state_.size(); ++i) state_[i] += worked[i];
}

sha256_digest hmac_sha256(std::string_view key, std::string_view message) noexcept {
  std::array<std::uint8_t, 64> padded{};
  if (key.size() > padded.size()) {
    sha256 shorter;
    shorter.update(key);
    std::ranges::copy(shorter.finish(), padded.begin());
  } else {
    std::ranges::copy(key, padded.begin());
  }
  auto keyed = [&](std::uint8_t pad) {
    auto mixed = padded;
    for (auto& byte : mixed) byte ^= pad;
    sha256 hash;
    hash.update(as_text(mixed.data(), mixed.size()));
    return hash;
  };
  auto inner = keyed(0x36);
  inner.update(message);
  const auto digest = inner.finish();
  auto outer = keyed(0x5c);
  outer.update(as_text(digest.data(), digest.size()));
  return outer.finish();
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference |=
        static_cast<unsigned char>(a[i]) ^ static_cast<unsigned>(static_cast<unsigned char>(b[i]));
  }
  return difference == 0;
}

}  // namespace scalekit::detail
