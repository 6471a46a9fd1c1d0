#include "scalekit/adapters/log_line.hpp"

#include <algorithm>
#include <string_view>

namespace scalekit::adapters {
namespace {

/// Bytes of the control character or line separator that `text` begins with: C0, DEL, C1 and
/// U+2028 and U+2029 in UTF-8; 0 for other text.
std::size_t control_size(std::string_view text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  if (byte < 0x20 || byte == 0x7f) return 1;
  const bool is_c1 = text.size() > 1 && byte == 0xc2 && (text[1] & 0xe0) == 0x80;
  if (is_c1) return 2;
  return text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9") ? 3 : 0;
}

void append_escaped(std::string& line, std::string_view text, bool in_quotes) {
  constexpr std::string_view digits = "0123456789abcdef";
  while (!text.empty()) {
    const auto controls = control_size(text);
    for (char c : text.substr(0, controls)) {
      const auto byte = static_cast<unsigned char>(c);
      line += "\\x";
      line += digits[byte >> 4];
      line += digits[byte & 15];
    }
    if (controls == 0) {
      if (in_quotes && (text[0] == '"' || text[0] == '\\')) line += '\\';
      line += text[0];
    }
    text.remove_prefix(std::max<std::size_t>(controls, 1));
  }
}

}  // namespace

std::string to_line(const log_record& record) {
  std::string line;
  append_escaped(line, record.event, false);
  line += ": ";
  append_escaped(line, record.message, false);
  for (const auto& [name, value] : record.fields) {
    const bool needs_quotes = value.empty() || value.find_first_of(" \"=\\") != value.npos;
    line += ' ';
    append_escaped(line, name, false);
    line += '=';
    if (needs_quotes) line += '"';
    append_escaped(line, value, needs_quotes);
    if (needs_quotes) line += '"';
  }
  return line;
}

}  // namespace scalekit::adapters
