#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::redis::detail {

/// A URL with several hosts, taken apart: URLs proper have one. Nothing is checked.
struct host_list {
  /// Up to the "://"; empty where there is none, and all else stands in `rest`.
  std::string_view scheme;
  /// The user and the password, with their "@"; or nothing.
  std::string_view login;
  /// Each as "host" or "host:port". At least one, which may be empty.
  std::vector<std::string_view> hosts;
  /// From the path or the query on.
  std::string_view rest;

  /// The URL with one host alone, and maybe another scheme.
  std::string url_of(std::size_t host, std::string_view as) const;
  std::string url_of(std::size_t host) const { return url_of(host, scheme); }
};

/// The views are into `url`.
host_list split_hosts(std::string_view url);

}  // namespace scalekit::redis::detail
