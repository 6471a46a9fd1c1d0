#include "catalogue/package_record.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace storefront {
namespace {

std::string_view trim(std::string_view text) {
  auto first = text.find_first_not_of(" \t\r");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool is_package_name(std::string_view name) {
  auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  return name.size() >= 2 && name.size() <= 128 && std::all_of(name.begin(), name.end(), legal);
}

std::int64_t number_or_zero(std::string_view text) {
  std::int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && value > 0 ? value : 0;
}

/// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none.
std::size_t utf8_length(std::string_view text) {
  auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  auto continues = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  auto lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    bool overlong = lead == 0xE0 && byte(1) < 0xA0;
    bool surrogate = lead == 0xED && byte(1) > 0x9F;
    return continues(1) && continues(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    bool overlong = lead == 0xF0 && byte(1) < 0x90;
    bool beyond = lead == 0xF4 && byte(1) > 0x8F;
    return continues(1) && continues(2) && continues(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// At most `most` bytes of `text`. The index does not promise UTF-8, a JSON response does: what
/// is not UTF-8, or is a control character, becomes a question mark.
std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  while (!text.empty()) {
    auto length = utf8_length(text);
    bool plain = length > 0 && static_cast<unsigned char>(text.front()) >= 0x20;
    auto taken = plain ? text.substr(0, length) : std::string_view("?");
    if (out.size() + taken.size() > most) break;
    out += taken;
    text.remove_prefix(plain ? length : 1);
  }
  return out;
}

}  // namespace

std::vector<std::string> parse_depends(std::string_view field) {
  std::vector<std::string> names;
  while (!field.empty() && names.size() < record_parser::max_depends) {
    auto comma = std::min(field.find(','), field.size());
    auto entry = field.substr(0, comma);
    field.remove_prefix(std::min(comma + 1, field.size()));
    // "name:any (>= 1) [amd64] | other": the name ends at the first of these.
    auto name = trim(entry.substr(0, entry.find_first_of("|([:<")));
    if (!is_package_name(name)) continue;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
  }
  return names;
}

std::optional<package_record> record_parser::feed(std::string_view line) {
  if (trim(line).empty()) return finish();
  if (line.front() == ' ' || line.front() == '\t') {
    // A continuation. Only descriptions have any that a customer wants to read.
    if (in_description_ && current_.description.size() < max_description) {
      auto text = trim(line);
      current_.description += '\n';
      if (text != ".") {
        current_.description += printable(text, max_description - current_.description.size());
      }
    }
    return std::nullopt;
  }
  if (auto colon = line.find(':'); colon != line.npos) {
    field(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return std::nullopt;
}

std::optional<package_record> record_parser::finish() {
  in_description_ = false;
  auto record = std::exchange(current_, {});
  if (!is_package_name(record.name)) return std::nullopt;
  return record;
}

void record_parser::field(std::string_view name, std::string_view value) {
  in_description_ = name == "Description" || name == "Description-en";
  if (name == "Package") {
    current_.name = value;
  } else if (name == "Version") {
    current_.version = printable(value, 128);
  } else if (name == "Section") {
    current_.section = printable(value, 64);
  } else if (name == "Maintainer") {
    current_.maintainer = printable(value, 256);
  } else if (name == "Installed-Size") {
    current_.installed_kib = number_or_zero(value);
  } else if (name == "Size") {
    current_.download_bytes = number_or_zero(value);
  } else if (name == "Depends") {
    current_.depends = parse_depends(value);
  } else if (in_description_) {
    current_.description = printable(value, max_description);
  }
}

}  // namespace storefront
