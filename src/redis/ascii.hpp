#pragma once

#include <algorithm>
#include <string_view>

namespace scalekit::redis::detail {

constexpr char upper(char c) noexcept {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

/// Whether `text` is `word`, which is in upper case.
constexpr bool is_word(std::string_view text, std::string_view word) noexcept {
  return std::ranges::equal(text, word, {}, upper);
}

}  // namespace scalekit::redis::detail
