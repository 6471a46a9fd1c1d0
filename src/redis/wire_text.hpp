#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace scalekit::redis::detail {

/// Appends a command as it is sent, for what this room says by itself.
inline void append_command(std::string& to, std::span<const std::string_view> words) {
  to += "*" + std::to_string(words.size()) + "\r\n";
  for (const auto word : words) {
    to += "$" + std::to_string(word.size()) + "\r\n";
    to.append(word).append("\r\n");
  }
}

inline void append_command(std::string& to, std::initializer_list<std::string_view> words) {
  append_command(to, std::span(words.begin(), words.size()));
}

}  // namespace scalekit::redis::detail
