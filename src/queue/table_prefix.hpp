#pragma once

#include <string>
#include <string_view>

namespace scalekit::queue::detail {

/// `text` with the prefix of the tables' names for each `@`.
inline std::string with_prefix(std::string_view text, std::string_view prefix) {
  std::string out;
  out.reserve(text.size() + 8 * prefix.size());
  for (const char c : text) {
    if (c == '@') {
      out.append(prefix);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace scalekit::queue::detail
