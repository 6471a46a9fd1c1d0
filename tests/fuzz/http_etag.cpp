// If-None-Match, as a client sends it. Whatever it holds: a tag matches only where its text stands
// in the header, and the tag of any body matches itself, alone, weak and in a list.

#include "scalekit/http/etag.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace scalekit::http;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
  const std::string input(reinterpret_cast<const char*>(data), size);
  const auto tag = strong_etag(input);

  if (matches_etag(input, "\"v1\"")) {
    require(input.find("\"v1\"") != input.npos || input.find('*') != input.npos);
  }
  require(matches_etag(tag, tag));
  require(matches_etag("\"other\", W/" + tag, tag));
  return 0;
}
