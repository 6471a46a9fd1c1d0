#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/limit/ip_address.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string_view>

namespace scalekit::limit {

/// What an identity is an identity of: "ip", "user", "endpoint", or a word of the host's own
/// ("tenant"). 1 to 16 bytes without NUL, kept inside, compared as two machine words.
class kind {
 public:
  static constexpr std::size_t max_size = 16;

  /// Throws std::invalid_argument for any other name (a compile error in a constant expression).
  constexpr kind(std::string_view name) {  // NOLINT(google-explicit-constructor)
    if (name.empty() || name.size() > max_size || name.find('\0') != std::string_view::npos) {
      throw std::invalid_argument("limit: the name of an identity kind has 1 to 16 bytes, no NUL");
    }
    for (std::size_t i = 0; i < name.size(); ++i) {
      auto byte = std::uint64_t{static_cast<unsigned char>(name[i])};
      words_[i / 8] |= byte << (8 * (i % 8));
    }
  }
  constexpr kind(const char* name) : kind(std::string_view{name}) {}  // NOLINT

  friend constexpr bool operator==(const kind&, const kind&) = default;

 private:
  std::array<std::uint64_t, 2> words_{};
};

inline constexpr kind ip_kind{"ip"};
inline constexpr kind user_kind{"user"};
inline constexpr kind endpoint_kind{"endpoint"};

/// One thing a call is counted under: a kind and bytes of any content.
///
/// Object lifetimes: text is NOT copied; it must live until the call of the limiter returns.
/// Addresses and numbers are kept inside.
class identity {
 public:
  /// `value` may hold any bytes and may be empty. Keys of any length are legal; the cost grows
  /// with the length, so cut what strangers send.
  constexpr identity(limit::kind what, std::string_view value) noexcept
      : kind_(what), text_(value.data()), size_(value.size()) {}

  constexpr const limit::kind& what() const noexcept { return kind_; }

  /// Valid while this object, and the text it was made from, live.
  constexpr std::string_view bytes() const noexcept {
    return {inside_ ? inline_.data() : text_, size_};
  }

 private:
  friend SCALEKIT_EXPORT identity ip(const ip_address&, unsigned);
  friend SCALEKIT_EXPORT identity numbered(limit::kind, std::uint64_t) noexcept;

  explicit constexpr identity(limit::kind what) noexcept : kind_(what), inside_(true) {}

  limit::kind kind_;
  const char* text_ = nullptr;
  std::size_t size_ = 0;
  bool inside_ = false;
  // Left uninitialised where text_ is used: an identity is made for every call.
  std::array<char, 23> inline_;
};

/// Kind "ip". IPv6 addresses count by their first `v6_bits` bits (1 to 128, default 64: what one
/// customer usually holds, and can draw new addresses from without end); IPv4 counts in full.
SCALEKIT_EXPORT identity ip(const ip_address& address, unsigned v6_bits = 64);

/// The same from text, as a socket reports it: see ip_address::parse().
/// Throws scalekit::error with errc::invalid_argument for what is no address. For text that a
/// client may have written, parse first, or use client_address().
SCALEKIT_EXPORT identity ip(std::string_view text);

/// Any kind, by number: the same identity as its decimal digits as text.
SCALEKIT_EXPORT identity numbered(kind what, std::uint64_t number) noexcept;

/// Kind "user".
inline identity user(std::string_view name) noexcept {
  return {user_kind, name};
}
inline identity user(std::unsigned_integral auto id) noexcept {
  return numbered(user_kind, id);
}
/// Negative numbers are ids of their own.
inline identity user(std::signed_integral auto id) noexcept {
  return numbered(user_kind, static_cast<std::uint64_t>(id));
}

/// Kind "endpoint": the method and the route's pattern ("GET /products/:id"), never the raw path,
/// which has a value for every product.
inline identity endpoint(std::string_view route) noexcept {
  return {endpoint_kind, route};
}

}  // namespace scalekit::limit
