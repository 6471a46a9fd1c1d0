#include "scalekit/http/etag.hpp"

#include <array>
#include <charconv>
#include <cstdint>

namespace scalekit::http {
namespace {

/// FNV-1a, 64 bits: the same on every machine. Notices accidents, not attacks.
std::uint64_t fnv1a(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

void append_hex(std::string& to, std::uint64_t value) {
  std::array<char, 16> digits;
  auto done = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16);
  to.append(digits.data(), done.ptr);
}

/// The quoted part: a weak tag without its mark.
std::string_view opaque(std::string_view etag) noexcept {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  return etag;
}

}  // namespace

std::string strong_etag(std::string_view body) {
  std::string etag = "\"";
  append_hex(etag, fnv1a(body));
  etag += '-';
  append_hex(etag, body.size());
  return etag += '"';
}

bool matches_etag(std::string_view if_none_match, std::string_view etag) noexcept {
  constexpr std::string_view blanks = " \t";
  auto skip = [&](std::string_view what) {
    auto first = if_none_match.find_first_not_of(what);
    if_none_match =
        first == std::string_view::npos ? std::string_view{} : if_none_match.substr(first);
  };
  skip(blanks);
  if (if_none_match.starts_with('*')) {
    return if_none_match.find_first_not_of(blanks, 1) == std::string_view::npos;
  }
  // Not split at commas: an opaque tag may hold them.
  for (skip(" \t,"); !if_none_match.empty(); skip(" \t,")) {
    if (if_none_match.starts_with("W/")) if_none_match.remove_prefix(2);
    if (!if_none_match.starts_with('"')) return false;
    auto close = if_none_match.find('"', 1);
    if (close == std::string_view::npos) return false;
    if (if_none_match.substr(0, close + 1) == opaque(etag)) return true;
    if_none_match.remove_prefix(close + 1);
  }
  return false;
}

}  // namespace scalekit::http
