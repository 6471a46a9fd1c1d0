#include "db/topology/lsn.hpp"

#include <array>
#include <charconv>

namespace scalekit::db::detail {
namespace {

std::optional<std::uint32_t> parse_half(std::string_view text) {
  std::uint32_t value = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value, 16);
  if (text.size() > 8 || parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

void append_half(std::string& text, std::uint32_t half) {
  std::array<char, 8> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), half, 16).ptr;
  for (auto d = digits.data(); d != end; ++d) {
    text += *d >= 'a' ? static_cast<char>(*d - 'a' + 'A') : *d;
  }
}

}  // namespace

std::optional<lsn> parse_lsn(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto high = parse_half(text.substr(0, slash));
  const auto low = parse_half(text.substr(slash + 1));
  if (!high || !low) return std::nullopt;
  return lsn{std::uint64_t{*high} << 32 | *low};
}

std::string to_string(lsn position) {
  std::string text;
  append_half(text, static_cast<std::uint32_t>(position.value >> 32));
  text += '/';
  append_half(text, static_cast<std::uint32_t>(position.value));
  return text;
}

}  // namespace scalekit::db::detail
