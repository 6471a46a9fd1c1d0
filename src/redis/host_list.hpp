#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace scalekit::redis::detail {

/// A URL with several hosts, taken apart: URLs proper have one.
struct host_list {
  /// The URL with the first host alone.
  std::string url;
  /// The other ones, as "host" or "host:port"; not checked.
  std::vector<std::string> others;
};

host_list split_hosts(std::string_view url);

}  // namespace scalekit::redis::detail
