#include "scalekit/redis/command.hpp"

#include "redis/command_table.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace scalekit::redis {
namespace {

/// For "*1234567890\r\n".
constexpr std::size_t header_room = 16;

constexpr std::size_t max_name = 64;

bool is_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= max_name &&
         std::ranges::all_of(name, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

command::command(std::string_view name, std::size_t room, begin) : name_(name) {
  if (!is_name(name)) {
    throw error(errc::invalid_argument,
                "a command's name is one word of 1 to 64 printable characters; what follows it are "
                "arguments");
  }
  wire_.reserve(header_room + name.size() + 12 + room);
  wire_.assign(header_room, ' ');
  append(name);
}

void command::append(std::string_view bytes) {
  char head[24];
  head[0] = '$';
  auto* end = std::to_chars(head + 1, head + sizeof head, bytes.size()).ptr;
  *end++ = '\r';
  *end++ = '\n';
  wire_.append(head, end);
  wire_.append(bytes);
  wire_.append("\r\n", 2);
  ++count_;
}

void command::append(double number) {
  char text[40];
  append({text, std::to_chars(text, text + sizeof text, number).ptr});
}

void command::append(long long number) {
  char text[24];
  append({text, std::to_chars(text, text + sizeof text, number).ptr});
}

void command::append(unsigned long long number) {
  char text[24];
  append({text, std::to_chars(text, text + sizeof text, number).ptr});
}

std::size_t command::finish() {
  char head[header_room];
  head[0] = '*';
  auto* end = std::to_chars(head + 1, head + sizeof head - 2, count_).ptr;
  *end++ = '\r';
  *end++ = '\n';
  const auto size = static_cast<std::size_t>(end - head);
  const auto start = header_room - size;
  std::memcpy(wire_.data() + start, head, size);
  return start;
}

namespace detail {

request to_request(command&& c) {
  const auto start = c.finish();
  request r{.name = std::move(c.name_), .bytes = std::move(c.wire_), .start = start};
  const auto kind = kind_of(r.name, r.wire());
  if (!kind.refused.empty()) throw error(kind.refusal, r.name + ": " + std::string(kind.refused));
  r.is_read = kind.is_read;
  r.blocks = kind.blocks;
  return r;
}

}  // namespace detail
}  // namespace scalekit::redis
