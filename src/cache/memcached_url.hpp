#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::cache::detail {

struct memcached_host {
  /// A name, or an address without brackets.
  std::string name;
  std::uint16_t port = 11211;

  friend bool operator==(const memcached_host&, const memcached_host&) = default;
};

/// The hosts of "memcached://host[:port][,host[:port]...]". Throws std::invalid_argument.
std::vector<memcached_host> memcached_hosts(std::string_view url);

/// For people: "10.0.0.1:11211,[::1]:11211".
std::string name_of(const std::vector<memcached_host>& hosts);

}  // namespace scalekit::cache::detail
