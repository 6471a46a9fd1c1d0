#include "scalekit/limit/identity.hpp"

#include <algorithm>
#include <charconv>

namespace scalekit::limit {

identity ip(const ip_address& address, unsigned v6_bits) {
  identity id(ip_kind);
  // The prefix length stands first: a network and its first address are not the same.
  auto bits = address.is_v6() ? std::clamp(v6_bits, 1u, 128u) : 32u;
  auto size = std::size_t{(bits + 7) / 8};
  auto masked = address.truncated(bits);
  id.inline_[0] = static_cast<char>(address.is_v6() ? bits : 0);
  std::copy_n(masked.bytes().begin(), size, id.inline_.begin() + 1);
  id.size_ = size + 1;
  return id;
}

identity ip(std::string_view text) {
  return ip(ip_address::parse(text).value());
}

identity numbered(kind what, std::uint64_t number) noexcept {
  identity id(what);
  auto* first = id.inline_.data();
  auto done = std::to_chars(first, first + id.inline_.size(), number);
  id.size_ = static_cast<std::size_t>(done.ptr - first);
  return id;
}

}  // namespace scalekit::limit
