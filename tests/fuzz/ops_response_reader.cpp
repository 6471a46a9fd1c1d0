// What a server answers to the load generator. Whatever the bytes: no more of a body is kept than
// was asked for, and cut into pieces they are the same response.

#include "ops/response_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using scalekit::ops::detail::response_reader;
using progress = response_reader::progress;

namespace {

constexpr std::size_t capture = 16;

void require(bool holds) {
  if (!holds) std::abort();
}

struct response {
  progress how = progress::need_more;
  std::size_t used = 0;
  unsigned status = 0;
  std::string body = {};

  friend bool operator==(const response&, const response&) = default;
};

/// Hands over `piece` bytes more each time, as a socket would, and then the end of the stream.
response read(std::string_view bytes, std::size_t piece, bool to_head) {
  response_reader reader(capture);
  reader.expect(to_head);
  response out;
  std::size_t there = 0;
  while (out.how == progress::need_more && there < bytes.size()) {
    there = std::min(there + piece, bytes.size());
    const auto waiting = bytes.substr(out.used, there - out.used);
    // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
    const std::string buffer(waiting);
    std::size_t used = 0;
    out.how = reader.feed(buffer, used);
    require(used <= buffer.size());
    out.used += used;
    require(reader.body().size() <= capture);
  }
  if (out.how == progress::need_more) out.how = reader.end_of_stream();
  if (out.how != progress::complete) return {.how = out.how};
  require(reader.status() >= 200);
  out.status = reader.status();
  out.body = reader.body();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece = 1 + data[0] / 2u;
  const bool to_head = data[0] % 2 != 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);

  require(read(bytes, piece, to_head) == read(bytes, std::max<std::size_t>(size, 1), to_head));
  return 0;
}
