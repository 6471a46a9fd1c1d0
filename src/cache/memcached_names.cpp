#include "cache/memcached_names.hpp"

#include "core/sha256.hpp"

#include <algorithm>
#include <cstddef>

namespace scalekit::cache::detail {
namespace {

constexpr std::size_t most_bytes = 250;

/// Whether the protocol of lines takes it as one word.
bool is_word(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > ' ' && byte != 0x7f;
  });
}

std::string hex_digest(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  scalekit::detail::sha256 hash;
  hash.update(text);
  std::string hex;
  for (const auto byte : hash.finish()) {
    hex.push_back(digits[byte >> 4]);
    hex.push_back(digits[byte & 15]);
  }
  return hex;
}

}  // namespace

std::string memcached_name(std::string_view name_space, std::string_view key) {
  std::string name(name_space);
  if (name.size() + 3 + key.size() <= most_bytes && is_word(key)) {
    return name.append(":k:").append(key);
  }
  return name.append(":h:").append(hex_digest(key));
}

}  // namespace scalekit::cache::detail
