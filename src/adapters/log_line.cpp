#include "scalekit/adapters/log_line.hpp"

#include <string_view>

namespace scalekit::adapters {
namespace {

void append_escaped(std::string& line, std::string_view text, bool in_quotes) {
  constexpr std::string_view digits = "0123456789abcdef";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      line += "\\x";
      line += digits[byte >> 4];
      line += digits[byte & 15];
    } else {
      if (in_quotes && (c == '"' || c == '\\')) line += '\\';
      line += c;
    }
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
