#include "slow/utf8.hpp"

#include <algorithm>

namespace scalekit::slow {
namespace {

unsigned char byte_at(std::string_view s, std::size_t i) noexcept {
  return i < s.size() ? static_cast<unsigned char>(s[i]) : 0;
}

bool is_continuation(unsigned char c) noexcept {
  return (c & 0xc0) == 0x80;
}

/// Length of the character that begins at `i`; 0 if it is malformed (Unicode, table 3-7).
std::size_t sequence(std::string_view s, std::size_t i) noexcept {
  const auto lead = byte_at(s, i);
  if (lead < 0x80) return 1;
  const auto second = byte_at(s, i + 1);
  if (lead >= 0xc2 && lead <= 0xdf) return is_continuation(second) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    const unsigned char least = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned char most = lead == 0xed ? 0x9f : 0xbf;
    const bool valid = second >= least && second <= most && is_continuation(byte_at(s, i + 2));
    return valid ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    const unsigned char least = lead == 0xf0 ? 0x90 : 0x80;
    const unsigned char most = lead == 0xf4 ? 0x8f : 0xbf;
    const bool valid = second >= least && second <= most && is_continuation(byte_at(s, i + 2)) &&
                       is_continuation(byte_at(s, i + 3));
    return valid ? 4 : 0;
  }
  return 0;
}

/// A character that ends lines or steers terminals: C0, DEL, C1, U+2028 and U+2029.
bool is_control(std::string_view c) noexcept {
  const auto lead = byte_at(c, 0);
  if (lead < 0x20 || lead == 0x7f) return true;
  if (lead == 0xc2) return byte_at(c, 1) < 0xa0;
  return c == "\xe2\x80\xa8" || c == "\xe2\x80\xa9";
}

}  // namespace

void make_printable(std::string& text, std::size_t from) {
  for (auto i = from; i < text.size();) {
    const auto size = std::max<std::size_t>(sequence(text, i), 1);
    const bool is_malformed = sequence(text, i) == 0;
    if (is_malformed || is_control(std::string_view(text).substr(i, size))) {
      text.replace(i, size, size, '_');
    }
    i += size;
  }
}

bool cut_text(std::string& text, std::size_t max) {
  if (text.size() <= max) return false;
  constexpr std::string_view ellipsis = "...";
  auto keep = max - std::min(max, ellipsis.size());
  while (keep > 0 && is_continuation(byte_at(text, keep))) --keep;
  text.resize(keep);
  text.append(ellipsis.substr(0, max - keep));
  return true;
}

}  // namespace scalekit::slow
