#include "redis/host_list.hpp"

#include <algorithm>

namespace scalekit::redis::detail {

host_list split_hosts(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return {std::string(url), {}};
  auto begin = scheme + 3;
  const auto end = std::min(url.find_first_of("/?#", begin), url.size());
  // A password may have commas in it.
  const auto login = url.substr(begin, end - begin).rfind('@');
  if (login != url.npos) begin += login + 1;
  auto hosts = url.substr(begin, end - begin);
  const auto first = hosts.substr(0, hosts.find(','));
  host_list out{std::string(url.substr(0, begin)).append(first).append(url.substr(end)), {}};
  while (hosts.find(',') != hosts.npos) {
    hosts.remove_prefix(hosts.find(',') + 1);
    out.others.emplace_back(hosts.substr(0, hosts.find(',')));
  }
  return out;
}

}  // namespace scalekit::redis::detail
