// What a server may send. Whatever it is: the same replies come out however it is cut into pieces,
// no more is kept than may be, and what was read can be written and read again.

#include "redis/reply_reader.hpp"
#include "scalekit/redis/from_reply.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using namespace scalekit::redis;
using detail::reply_reader;

namespace {

constexpr std::size_t most = 4096;

void require(bool holds) {
  if (!holds) std::abort();
}

struct outcome {
  std::vector<reply> replies;
  reply_reader::failure failed = reply_reader::failure::none;
};

outcome read(std::string_view wire, std::size_t piece) {
  reply_reader reader(most);
  outcome out;
  for (std::size_t at = 0; at < wire.size(); at += piece) {
    // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
    const std::string part(wire.substr(at, piece));
    reader.give(part);
    while (auto next = reader.next()) out.replies.push_back(std::move(*next));
    require(reader.unread() <= most + wire.size());
  }
  out.failed = reader.failed();
  return out;
}

std::size_t size_of(const reply& r) {
  auto size = r.text.size() + sizeof r;
  for (const auto& each : r.elements) size += size_of(each);
  return size;
}

void write(const reply& r, std::string& to) {
  switch (r.kind) {
    case reply_kind::nil:
      to += "$-1\r\n";
      return;
    case reply_kind::integer:
      to += ":" + std::to_string(r.integer) + "\r\n";
      return;
    case reply_kind::status:
      to += "+" + r.text + "\r\n";
      return;
    case reply_kind::error:
      to += "-" + r.text + "\r\n";
      return;
    case reply_kind::text:
      to += "$" + std::to_string(r.text.size()) + "\r\n" + r.text + "\r\n";
      return;
    case reply_kind::array:
      to += "*" + std::to_string(r.elements.size()) + "\r\n";
      for (const auto& each : r.elements) write(each, to);
  }
}

template <class T>
void convert(const reply& r) {
  try {
    from_reply<T>(reply(r));
  } catch (const scalekit::error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wire(reinterpret_cast<const char*>(data), size);
  const auto whole = read(wire, std::max<std::size_t>(size, 1));
  const auto cut = read(wire, 1);

  require(whole.replies == cut.replies);
  require(whole.failed == cut.failed);
  std::string again;
  for (const auto& each : whole.replies) {
    require(size_of(each) <= most + 2 * sizeof(reply));
    write(each, again);
    convert<std::int64_t>(each);
    convert<std::uint8_t>(each);
    convert<double>(each);
    convert<bool>(each);
    convert<std::optional<std::string>>(each);
    convert<std::vector<std::string>>(each);
    convert<std::map<std::string, std::string>>(each);
    convert<std::tuple<int, std::string>>(each);
  }
  const auto back = read(again, again.size() + 1);
  require(back.replies == whole.replies);
  return 0;
}
