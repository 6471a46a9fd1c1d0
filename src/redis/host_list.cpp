#include "redis/host_list.hpp"

#include <algorithm>

namespace scalekit::redis::detail {
namespace {

constexpr std::string_view separator = "://";

}  // namespace

std::string host_list::url_of(std::size_t host, std::string_view as) const {
  if (scheme.empty()) return std::string(rest);
  return std::string(as).append(separator).append(login).append(hosts[host]).append(rest);
}

host_list split_hosts(std::string_view url) {
  const auto scheme = url.find(separator);
  if (scheme == url.npos || scheme == 0) return {{}, {}, {{}}, url};
  host_list out{.scheme = url.substr(0, scheme), .login = {}, .hosts = {}, .rest = {}};
  url.remove_prefix(scheme + separator.size());
  const auto end = std::min(url.find_first_of("/?#"), url.size());
  out.rest = url.substr(end);
  auto hosts = url.substr(0, end);
  // A password may have commas in it.
  const auto login = hosts.rfind('@');
  if (login != hosts.npos) {
    out.login = hosts.substr(0, login + 1);
    hosts.remove_prefix(login + 1);
  }
  for (bool is_last = false; !is_last;) {
    const auto comma = hosts.find(',');
    is_last = comma == hosts.npos;
    out.hosts.push_back(hosts.substr(0, comma));
    if (!is_last) hosts.remove_prefix(comma + 1);
  }
  return out;
}

}  // namespace scalekit::redis::detail
