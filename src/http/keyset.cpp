#include "scalekit/http/keyset.hpp"

#include "core/base64url.hpp"
#include "http/fnv.hpp"

#include <algorithm>
#include <cstdint>

namespace scalekit::http {
namespace {

constexpr char version = 1;
constexpr std::size_t most_fields = 16;
constexpr std::size_t length_size = 2;
constexpr std::size_t checksum_size = 4;

void put(std::string& to, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) to += static_cast<char>(value >> (8 * i) & 0xff);
}

std::uint64_t get(std::string_view from, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) value = value << 8 | static_cast<unsigned char>(from[i]);
  return value;
}

std::string checksum(std::string_view bytes) {
  std::string sum;
  put(sum, detail::fnv1a(bytes), checksum_size);
  return sum;
}

error too_large() {
  return {errc::too_large, "a page cursor has at most 16 fields and " +
                               std::to_string(max_cursor_size) + " characters"};
}

error bad_cursor() {
  return {errc::invalid_argument,
          "the page cursor is damaged, or was not made by this version for this list; start again "
          "from the first page"};
}

error bad_target() {
  return {errc::invalid_argument, "a link target has no blanks, control characters, <, >, # or \""};
}

bool is_in_uri(char c) {
  return c > ' ' && c < '\x7f' && c != '<' && c != '>' && c != '"' && c != '\\' && c != '#';
}

/// `query` without the parameters called `name`.
std::string without(std::string_view query, std::string_view name) {
  std::string kept;
  while (!query.empty()) {
    auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(part.size() + 1, query.size()));
    if (part.empty() || part.substr(0, part.find('=')) == name) continue;
    kept.append(part).append("&");
  }
  return kept;
}

}  // namespace

std::string encode_cursor(std::span<const std::string_view> fields) {
  std::string bytes(1, version);
  for (auto field : fields) {
    // Checked here, so that the two bytes of a length always suffice.
    if (field.size() > max_cursor_size) throw too_large();
    put(bytes, field.size(), length_size);
    bytes.append(field);
  }
  auto text = scalekit::detail::to_base64url(bytes + checksum(bytes));
  if (fields.size() > most_fields || text.size() > max_cursor_size) throw too_large();
  return text;
}

result<std::vector<std::string>> decode_cursor(std::string_view text, std::size_t expected) {
  if (text.size() > max_cursor_size) return bad_cursor();
  auto decoded = scalekit::detail::from_base64url(text);
  if (!decoded || decoded->size() < 1 + checksum_size) return bad_cursor();
  std::string_view rest = *decoded;
  auto sum = rest.substr(rest.size() - checksum_size);
  rest.remove_suffix(checksum_size);
  if (checksum(rest) != sum || rest.front() != version) return bad_cursor();
  rest.remove_prefix(1);

  std::vector<std::string> fields;
  while (!rest.empty()) {
    if (rest.size() < length_size || fields.size() == expected) return bad_cursor();
    auto size = static_cast<std::size_t>(get(rest, length_size));
    rest.remove_prefix(length_size);
    if (size > rest.size()) return bad_cursor();
    fields.emplace_back(rest.substr(0, size));
    rest.remove_prefix(size);
  }
  if (fields.size() != expected) return bad_cursor();
  return fields;
}

header next_link(std::string_view target, std::string_view cursor, std::string_view parameter) {
  auto legal = [](std::string_view s) { return std::all_of(s.begin(), s.end(), is_in_uri); };
  if (target.empty() || !legal(target) || !legal(cursor) || !legal(parameter)) throw bad_target();
  auto mark = target.find('?');
  auto query = mark == std::string_view::npos ? std::string_view{} : target.substr(mark + 1);
  std::string value = "<";
  value.append(target.substr(0, mark)).append("?").append(without(query, parameter));
  value.append(parameter).append("=").append(cursor).append(">; rel=\"next\"");
  return {"Link", std::move(value)};
}

}  // namespace scalekit::http
