#include "scalekit/limit/ip_address.hpp"

#include "limit/address_text.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <optional>

namespace scalekit::limit {
namespace {

constexpr std::size_t most_text = 64;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<unsigned> number(std::string_view digits, unsigned most) {
  unsigned value = 0;
  auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (failed != std::errc{} || end != digits.data() + digits.size() || value > most) return {};
  return value;
}

/// `text` without brackets, port and zone; empty when these are malformed.
std::string_view host_part(std::string_view text) {
  if (text.starts_with('[')) {
    auto close = text.find(']');
    if (close == std::string_view::npos) return {};
    auto rest = text.substr(close + 1);
    if (!rest.empty() && !(rest.starts_with(':') && number(rest.substr(1), 65535))) return {};
    text = text.substr(1, close - 1);
    if (text.find(':') == std::string_view::npos) return {};
  } else if (auto colon = text.find(':');
             colon != std::string_view::npos && colon == text.rfind(':')) {
    if (!number(text.substr(colon + 1), 65535)) return {};
    return text.substr(0, colon);
  }
  // Only IPv6 addresses have zones.
  if (text.find(':') != std::string_view::npos) text = text.substr(0, text.find('%'));
  return text;
}

}  // namespace

std::optional<ip_address> detail::read_address(std::string_view text) noexcept {
  text = host_part(trimmed(text));
  // inet_pton() reads to the first NUL and would not see what follows it.
  if (text.empty() || text.size() > most_text || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  char terminated[most_text + 1] = {};
  std::copy(text.begin(), text.end(), terminated);
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, terminated, four.data()) == 1) return ip_address::v4(four);
  std::array<std::uint8_t, 16> sixteen{};
  if (inet_pton(AF_INET6, terminated, sixteen.data()) == 1) return ip_address::v6(sixteen);
  return std::nullopt;
}

ip_address ip_address::v6(const std::array<std::uint8_t, 16>& octets) noexcept {
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::equal(mapped.begin(), mapped.end(), octets.begin())) {
    return v4({octets[12], octets[13], octets[14], octets[15]});
  }
  ip_address a;
  a.bytes_ = octets;
  a.v6_ = true;
  return a;
}

result<ip_address> ip_address::parse(std::string_view text) {
  if (auto address = detail::read_address(text)) return *address;
  return error{errc::invalid_argument,
               "not an IP address; expected such as 192.0.2.1, 192.0.2.1:8080, 2001:db8::1 or "
               "[2001:db8::1]:443"};
}

ip_address ip_address::truncated(unsigned bits) const noexcept {
  auto cut = *this;
  for (unsigned i = 0; i < cut.bytes_.size(); ++i) {
    auto kept = bits <= 8 * i ? 0 : std::min(bits - 8 * i, 8u);
    cut.bytes_[i] = static_cast<std::uint8_t>(cut.bytes_[i] & (0xff00u >> kept));
  }
  return cut;
}

std::string ip_address::to_string() const {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), text, sizeof text);
  return text;
}

result<ip_network> ip_network::parse(std::string_view text) {
  text = trimmed(text);
  auto slash = text.find('/');
  auto address = ip_address::parse(text.substr(0, slash));
  if (address.has_error()) return address.error();
  auto most = address->is_v6() ? 128u : 32u;
  auto bits =
      slash == std::string_view::npos ? std::optional{most} : number(text.substr(slash + 1), most);
  if (!bits) {
    return error{errc::invalid_argument,
                 "the prefix length of a network is not 0 to " + std::to_string(most)};
  }
  ip_network network;
  network.first_ = address->truncated(*bits);
  network.bits_ = *bits;
  return network;
}

bool ip_network::contains(const ip_address& address) const noexcept {
  return address.is_v6() == first_.is_v6() && address.truncated(bits_) == first_;
}

}  // namespace scalekit::limit
