#include "scalekit/limit/client_address.hpp"

#include "limit/address_text.hpp"

#include <algorithm>
#include <stdexcept>

namespace scalekit::limit {
namespace {

constexpr int most_entries = 32;

}  // namespace

std::vector<ip_network> trusted_networks(std::span<const std::string> cidrs) {
  std::vector<ip_network> networks;
  networks.reserve(cidrs.size());
  for (const auto& text : cidrs) {
    auto network = ip_network::parse(text);
    if (network.has_error()) {
      throw std::invalid_argument("trusted_networks: \"" + text +
                                  "\" is no network; legal: such as 10.0.0.0/8 or fd00::/8");
    }
    networks.push_back(*network);
  }
  return networks;
}

ip_address client_address(const ip_address& peer, std::string_view forwarded_for,
                          std::span<const ip_network> trusted) noexcept {
  auto is_trusted = [trusted](const ip_address& a) {
    return std::any_of(trusted.begin(), trusted.end(),
                       [&a](const ip_network& n) { return n.contains(a); });
  };
  auto current = peer;
  auto rest = forwarded_for;
  for (int i = 0; i < most_entries && !rest.empty() && is_trusted(current); ++i) {
    auto comma = rest.rfind(',');
    auto entry = comma == std::string_view::npos ? rest : rest.substr(comma + 1);
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(0, comma);
    auto address = detail::read_address(entry);
    if (!address) break;
    current = *address;
  }
  return current;
}

}  // namespace scalekit::limit
