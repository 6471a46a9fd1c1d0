#include "scalekit/db/labels.hpp"

#include "scalekit/core/error.hpp"

namespace scalekit::db {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_word(std::string_view text) {
  constexpr std::string_view legal =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !text.empty() && text.find_first_not_of(legal) == std::string_view::npos;
}

}  // namespace

labels parse_labels(std::string_view text) {
  labels all;
  if (trimmed(text).empty()) return all;
  for (;;) {
    const auto comma = text.find(',');
    const auto part = trimmed(text.substr(0, comma));
    const auto equals = part.find('=');
    const auto name = trimmed(part.substr(0, equals));
    const auto value =
        equals == std::string_view::npos ? std::string_view{} : trimmed(part.substr(equals + 1));
    if (!is_word(name) || !is_word(value)) {
      throw error(errc::invalid_argument,
                  "label '" + std::string(part) +
                      "'; legal: name=value of letters, digits, '_', '-' and '.'");
    }
    if (!all.emplace(name, value).second) {
      throw error(errc::invalid_argument, "label '" + std::string(name) + "' is given twice");
    }
    if (comma == std::string_view::npos) return all;
    text.remove_prefix(comma + 1);
  }
}

std::string format_labels(const labels& all) {
  std::string text;
  for (const auto& [name, value] : all) {
    if (!text.empty()) text += ',';
    text.append(name).append("=").append(value);
  }
  return text;
}

}  // namespace scalekit::db
