#include "slow/utf8.hpp"

#include "core/utf8.hpp"

#include <algorithm>

namespace scalekit::slow {
namespace {

using scalekit::detail::utf8_character;
using scalekit::detail::utf8_cut;

/// A character that ends lines or steers terminals: C0, DEL, C1, U+2028 and U+2029.
bool is_control(std::string_view c) noexcept {
  const auto lead = static_cast<unsigned char>(c[0]);
  if (lead < 0x20 || lead == 0x7f) return true;
  if (lead == 0xc2) return static_cast<unsigned char>(c[1]) < 0xa0;
  return c == "\xe2\x80\xa8" || c == "\xe2\x80\xa9";
}

}  // namespace

void make_printable(std::string& text, std::size_t from) {
  for (auto i = from; i < text.size();) {
    const auto rest = std::string_view(text).substr(i);
    const auto character = utf8_character(rest);
    const auto size = std::max<std::size_t>(character, 1);
    if (character == 0 || is_control(rest.substr(0, size))) text.replace(i, size, size, '_');
    i += size;
  }
}

bool cut_text(std::string& text, std::size_t max) {
  if (text.size() <= max) return false;
  constexpr std::string_view ellipsis = "...";
  const auto keep = utf8_cut(text, max - std::min(max, ellipsis.size()));
  text.resize(keep);
  text.append(ellipsis.substr(0, max - keep));
  return true;
}

}  // namespace scalekit::slow
