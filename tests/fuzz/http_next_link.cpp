// What a client asks for is the target of a Link header: whatever it is, it does not break out.

#include "scalekit/core/error.hpp"
#include "scalekit/http/next_link.hpp"

#include <cstdint>
#include <cstdlib>
#include <string>

using namespace scalekit;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
  const std::string target(reinterpret_cast<const char*>(data), size);
  try {
    const auto link = http::next_link(target, "cursor");
    const auto end = link.value.find('>');
    require(link.value.substr(end) == ">; rel=\"next\"");
    require(link.value.find_first_of(" \r\n\t\"") > end);
    require(link.value.substr(0, end).ends_with("after=cursor"));
  } catch (const error& e) {
    require(e.code() == errc::invalid_argument);
  }
  return 0;
}
