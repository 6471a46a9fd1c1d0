// A URL of a server. Whatever it is: it is taken, or refused as std::invalid_argument.

#include "redis/place.hpp"

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string url(reinterpret_cast<const char*>(data), size);
  try {
    const auto t = scalekit::redis::detail::target_from_url(url, {});
    if (t.where.name().empty() || t.name().empty()) std::abort();
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
