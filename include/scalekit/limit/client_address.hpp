#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/limit/ip_address.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::limit {

/// The networks of `cidrs`, for client_address(). Throws std::invalid_argument naming the first
/// one that is no network.
SCALEKIT_EXPORT std::vector<ip_network> trusted_networks(std::span<const std::string> cidrs);

/// Who sent a request that may have come through proxies: the address to limit by.
///
/// `peer` is the other end of the socket, `forwarded_for` the value of X-Forwarded-For (several
/// header lines joined with ", "; empty when there is none), `trusted` the networks of the host's
/// own proxies. Everybody may write the header, so it is read from the right, and only as far as
/// trusted proxies vouch for it: while the current address is trusted, step to the entry left of
/// it. The first address that is not trusted is the client; so is the leftmost entry when all are
/// trusted. An entry that cannot be read ends the walk at the last address known good, which is a
/// proxy: clients behind garbage then share one identity instead of choosing their own.
///
/// At most the 32 rightmost entries are looked at. Pure: no state, no I/O, never throws.
SCALEKIT_EXPORT ip_address client_address(const ip_address& peer, std::string_view forwarded_for,
                                          std::span<const ip_network> trusted) noexcept;

}  // namespace scalekit::limit
