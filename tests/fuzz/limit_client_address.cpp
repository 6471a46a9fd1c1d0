// X-Forwarded-For, which everybody may write. Whatever it holds: the client is the peer or an entry
// of the header, and nothing to the left of an untrusted entry changes who that is.

#include "scalekit/limit/client_address.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace scalekit::limit;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_entry(const ip_address& address, std::string_view header) {
  while (!header.empty()) {
    const auto end = std::min(header.find(','), header.size());
    const auto entry = ip_address::parse(header.substr(0, end));
    if (entry && *entry == address) return true;
    header.remove_prefix(std::min(end + 1, header.size()));
  }
  return false;
}

void check_text(std::string_view text) {
  const auto address = ip_address::parse(text);
  if (address) require(ip_address::parse(address->to_string()).value() == *address);
  const auto network = ip_network::parse(text);
  if (!network) return;
  const auto first = ip_address::parse(text.substr(0, text.find('/')));
  require(first.has_value() && network->contains(*first));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly this size: reading beyond it is seen by AddressSanitizer.
  const std::string header(reinterpret_cast<const char*>(data), size);
  const std::array<std::string, 3> cidrs{"10.0.0.0/8", "fd00::/8", "::1"};
  static const auto trusted = trusted_networks(cidrs);
  const auto proxy = ip_address::v4({10, 0, 0, 1});
  const auto stranger = ip_address::v4({192, 0, 2, 7});

  const auto client = client_address(proxy, header, trusted);
  require(client == proxy || is_entry(client, header));
  require(client_address(stranger, header, trusted) == stranger);
  require(client_address(proxy, header + ", 192.0.2.7, fd00::2", trusted) == stranger);
  check_text(header);
  return 0;
}
