#include "scalekit/db/causal_token.hpp"

#include "scalekit/core/error.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace scalekit::db {
namespace {

constexpr std::string_view sqlite_text = "sqlite", postgres_prefix = "pg-";

template <class Number>
std::string hex(Number value) {
  std::array<char, 16> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  return {digits.data(), end};
}

/// Takes a number and the '-' behind it, if there is one, from the front of `text`.
template <class Number>
bool take(std::string_view& text, Number& value) {
  const auto part = text.substr(0, text.find('-'));
  const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), value, 16);
  if (failed != std::errc{} || end != part.data() + part.size() || value == 0) return false;
  text.remove_prefix(part.size());
  return true;
}

bool take_dash(std::string_view& text) {
  if (!text.starts_with('-')) return false;
  text.remove_prefix(1);
  return true;
}

[[noreturn]] void throw_malformed(std::string_view text, std::string_view part) {
  throw error(errc::invalid_argument,
              "a causal token of " + std::to_string(text.size()) +
                  " characters is malformed: " + std::string(part) +
                  "; legal: what write_result::token() or session::token() gave, unchanged");
}

}  // namespace

causal_token causal_token::sqlite() noexcept {
  causal_token t;
  t.origin_ = origin::sqlite;
  return t;
}

causal_token causal_token::postgres(std::uint64_t system_id, std::uint32_t timeline,
                                    std::uint64_t lsn) noexcept {
  causal_token t;
  t.origin_ = origin::postgres;
  t.timeline_ = timeline;
  t.system_id_ = system_id;
  t.lsn_ = lsn;
  return t;
}

causal_token causal_token::parse(std::string_view text) {
  if (text.empty()) return {};
  if (text == sqlite_text) return sqlite();
  auto rest = text;
  if (!rest.starts_with(postgres_prefix)) throw_malformed(text, "it is of no known database");
  rest.remove_prefix(postgres_prefix.size());
  causal_token t;
  t.origin_ = origin::postgres;
  if (!take(rest, t.system_id_) || !take_dash(rest)) throw_malformed(text, "its system id");
  if (!take(rest, t.timeline_) || !take_dash(rest)) throw_malformed(text, "its timeline");
  if (!take(rest, t.lsn_) || !rest.empty()) throw_malformed(text, "its log position");
  // One token has one text: no capitals, no zeros in front.
  if (t.to_string() != text) throw_malformed(text, "its digits are not in the form it was given");
  return t;
}

std::string causal_token::to_string() const {
  switch (origin_) {
    case origin::none:
      return {};
    case origin::sqlite:
      return std::string(sqlite_text);
    case origin::postgres:
      break;
  }
  return std::string(postgres_prefix) + hex(system_id_) + '-' + hex(timeline_) + '-' + hex(lsn_);
}

void causal_token::merge(const causal_token& other) {
  if (other.is_empty()) return;
  if (is_empty()) {
    *this = other;
    return;
  }
  if (!can_merge(other)) {
    throw error(errc::invalid_argument,
                "causal tokens of two different databases cannot be one session's");
  }
  if (std::pair(timeline_, lsn_) < std::pair(other.timeline_, other.lsn_)) *this = other;
}

}  // namespace scalekit::db
