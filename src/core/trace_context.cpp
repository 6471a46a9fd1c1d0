#include "scalekit/core/trace_context.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace scalekit {
namespace {

// version "-" trace-id "-" parent-id "-" flags, as offsets.
constexpr std::size_t trace_id_at = 3;
constexpr std::size_t span_id_at = 36;
constexpr std::size_t flags_at = 53;
constexpr std::size_t length_of_version_00 = 55;

constexpr std::size_t most_members = 32;

constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;  // upper case is not allowed
  return -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> to) noexcept {
  for (std::size_t i = 0; i < to.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    to[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

void append_hex(std::string& text, std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
}

error malformed(const std::string& what) {
  return {errc::invalid_argument, "traceparent: " + what};
}

constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
constexpr bool is_key_char(char c) noexcept {
  return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
}

/// key = simple, or tenant@system.
bool is_key(std::string_view key) noexcept {
  const auto at = key.find('@');
  const bool has_tenant = at != std::string_view::npos;
  const auto tenant = has_tenant ? key.substr(0, at) : std::string_view{};
  const auto name = has_tenant ? key.substr(at + 1) : key;
  if (has_tenant) {
    if (tenant.empty() || tenant.size() > 241) return false;
    if (!is_lower(tenant[0]) && !is_digit(tenant[0])) return false;
    if (!std::all_of(tenant.begin(), tenant.end(), is_key_char)) return false;
  }
  if (name.empty() || name.size() > (has_tenant ? 14u : 256u)) return false;
  return is_lower(name[0]) && std::all_of(name.begin(), name.end(), is_key_char);
}

bool is_value(std::string_view value) noexcept {
  if (value.empty() || value.size() > 256 || value.back() == ' ') return false;
  return std::all_of(value.begin(), value.end(),
                     [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

std::string_view without_blanks(std::string_view text) noexcept {
  constexpr std::string_view blanks = " \t";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The members joined by commas; nothing when one of them is malformed.
std::optional<std::string> normalised(std::string_view tracestate) {
  std::array<std::string_view, most_members> keys;
  std::size_t members = 0;
  std::string text;
  while (!tracestate.empty()) {
    const auto comma = std::min(tracestate.find(','), tracestate.size());
    const auto member = without_blanks(tracestate.substr(0, comma));
    tracestate.remove_prefix(std::min(comma + 1, tracestate.size()));
    if (member.empty()) continue;  // allowed, since senders join headers
    const auto equals = member.find('=');
    if (equals == std::string_view::npos || members == most_members) return std::nullopt;
    const auto key = member.substr(0, equals);
    if (!is_key(key) || !is_value(member.substr(equals + 1))) return std::nullopt;
    const auto known = keys.begin() + static_cast<std::ptrdiff_t>(members);
    if (std::find(keys.begin(), known, key) != known) return std::nullopt;
    keys[members++] = key;
    if (!text.empty()) text += ',';
    text += member;
  }
  return text;
}

template <std::size_t Size>
std::array<std::uint8_t, Size> random_id(random_generator& random) noexcept {
  std::array<std::uint8_t, Size> id{};
  for (std::size_t i = 0; i < Size; i += 8) {
    const auto bits = random();
    for (std::size_t b = 0; b < 8; ++b) id[i + b] = static_cast<std::uint8_t>(bits >> (8 * b));
  }
  if (id == std::array<std::uint8_t, Size>{}) id.back() = 1;  // all zero means "invalid"
  return id;
}

}  // namespace

result<trace_context> trace_context::parse(std::string_view traceparent,
                                           std::string_view tracestate) {
  const auto size = traceparent.size();
  if (size < length_of_version_00) {
    return malformed(std::to_string(size) + " characters; legal: 55 or more");
  }
  for (auto at : {trace_id_at, span_id_at, flags_at}) {
    if (traceparent[at - 1] != '-') return malformed("no '-' at offset " + std::to_string(at - 1));
  }

  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  trace_context context;
  if (!read_hex(traceparent, version)) return malformed("the version is not lower-case hex");
  if (version[0] == 0xff) return malformed("version ff is forbidden");
  if (version[0] == 0 && size != length_of_version_00) {
    return malformed(std::to_string(size) + " characters; legal for version 00: 55");
  }
  if (size > length_of_version_00 && traceparent[length_of_version_00] != '-') {
    return malformed("no '-' at offset 55");
  }
  if (!read_hex(traceparent.substr(trace_id_at), context.trace_id_)) {
    return malformed("the trace id is not lower-case hex");
  }
  if (!read_hex(traceparent.substr(span_id_at), context.span_id_)) {
    return malformed("the parent id is not lower-case hex");
  }
  if (!read_hex(traceparent.substr(flags_at), flags)) {
    return malformed("the flags are not lower-case hex");
  }
  if (context.trace_id_ == trace_id_type{}) return malformed("the trace id is zero");
  if (context.span_id_ == span_id_type{}) return malformed("the parent id is zero");

  // Flags we do not know must not be passed on.
  context.flags_ = flags[0] & (flag_sampled | flag_random);
  context.tracestate_ = normalised(tracestate).value_or("");
  return context;
}

trace_context trace_context::start(random_generator& random, bool sampled) {
  trace_context context;
  context.trace_id_ = random_id<16>(random);
  context.span_id_ = random_id<8>(random);
  context.flags_ = flag_random | (sampled ? flag_sampled : std::uint8_t{0});
  return context;
}

trace_context trace_context::child(random_generator& random) const {
  if (!*this) return {};
  auto copy = *this;
  copy.span_id_ = random_id<8>(random);
  return copy;
}

std::string trace_context::traceparent() const {
  if (!*this) return {};
  std::string text = "00-";
  append_hex(text, trace_id_);
  text += '-';
  append_hex(text, span_id_);
  text += '-';
  append_hex(text, std::array{flags_});
  return text;
}

std::string trace_context::trace_id_hex() const {
  std::string text;
  if (*this) append_hex(text, trace_id_);
  return text;
}

}  // namespace scalekit
