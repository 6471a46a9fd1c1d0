#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/core/result.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace scalekit::limit {

/// An IPv4 or IPv6 address, without port and zone. A value of 17 bytes.
///
/// An IPv4 address mapped into IPv6 (::ffff:192.0.2.1, what a dual-stack socket reports) is the
/// IPv4 address: one client is one address, whichever way it came in.
class SCALEKIT_EXPORT ip_address {
 public:
  /// 0.0.0.0
  constexpr ip_address() = default;

  static constexpr ip_address v4(const std::array<std::uint8_t, 4>& octets) noexcept {
    ip_address a;
    for (std::size_t i = 0; i < 4; ++i) a.bytes_[i] = octets[i];
    return a;
  }

  /// A mapped address becomes IPv4.
  static ip_address v6(const std::array<std::uint8_t, 16>& octets) noexcept;

  /// Reads what sockets and proxies write: "192.0.2.1", "192.0.2.1:8080", "2001:db8::1",
  /// "[2001:db8::1]:443", "fe80::1%eth0"; port and zone are dropped, blanks around it ignored.
  ///
  /// Errors: errc::invalid_argument for anything else, such as a name, "unknown", an octet above
  /// 255, or more than 64 characters. Never throws otherwise; the text is not repeated in the
  /// error.
  static result<ip_address> parse(std::string_view text);

  constexpr bool is_v6() const noexcept { return v6_; }

  /// The first 4 bytes for IPv4, all 16 for IPv6, in network order.
  constexpr const std::array<std::uint8_t, 16>& bytes() const noexcept { return bytes_; }

  /// The address with everything after the first `bits` bits cleared; `bits` above 32 (IPv4) or
  /// 128 (IPv6) changes nothing.
  ip_address truncated(unsigned bits) const noexcept;

  /// "192.0.2.1" or the canonical IPv6 form of RFC 5952.
  std::string to_string() const;

  friend constexpr auto operator<=>(const ip_address&, const ip_address&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  bool v6_ = false;
};

/// A range of addresses: "10.0.0.0/8", "2001:db8::/32", or one address.
class SCALEKIT_EXPORT ip_network {
 public:
  /// Errors: errc::invalid_argument when the address or the prefix length cannot be read or the
  /// length is above 32 (IPv4) or 128 (IPv6). Bits behind the prefix are ignored.
  static result<ip_network> parse(std::string_view text);

  bool contains(const ip_address& address) const noexcept;

  friend constexpr auto operator<=>(const ip_network&, const ip_network&) = default;

 private:
  ip_address first_;
  unsigned bits_ = 32;
};

}  // namespace scalekit::limit
