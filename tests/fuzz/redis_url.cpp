// A URL of a server, or of a cluster. Whatever it is: it is taken, or refused as
// std::invalid_argument.

#include "redis/cluster_url.hpp"
#include "redis/place.hpp"

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string url(reinterpret_cast<const char*>(data), size);
  try {
    if (scalekit::redis::detail::is_cluster_url(url)) {
      const auto to = scalekit::redis::detail::cluster_target_from_url(url, {});
      if (to.seeds.empty()) std::abort();
      return 0;
    }
    const auto t = scalekit::redis::detail::target_from_url(url, {});
    if (t.where.name().empty() || t.name().empty()) std::abort();
  } catch (const std::invalid_argument&) {
  }
  return 0;
}
