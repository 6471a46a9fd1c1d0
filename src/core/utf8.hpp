#pragma once

#include <cstddef>
#include <string_view>

namespace scalekit::detail {

constexpr bool is_utf8_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// How many bytes the character of valid UTF-8 takes that begins `text` (Unicode, table 3-7); 0
/// when none does. Precondition: text is not empty.
constexpr std::size_t utf8_character(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xC2 && first <= 0xDF   ? 2
                           : first >= 0xE0 && first <= 0xEF ? 3
                           : first >= 0xF0 && first <= 0xF4 ? 4
                                                            : 0;
  if (size == 0 || size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_utf8_continuation(text[i])) return 0;
  }
  // Written too long, a surrogate, beyond the last character.
  const unsigned second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return size;
}

/// The most bytes, up to `most`, after which `text` can be cut without cutting a character.
constexpr std::size_t utf8_cut(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text.size();
  while (most > 0 && is_utf8_continuation(text[most])) --most;
  return most;
}

}  // namespace scalekit::detail
