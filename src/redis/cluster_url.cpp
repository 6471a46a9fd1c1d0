#include "redis/cluster_url.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace scalekit::redis::detail {
namespace {

constexpr std::string_view plain = "redis+cluster://";
constexpr std::string_view by_tls = "rediss+cluster://";

}  // namespace

std::string cluster_target::name() const {
  std::string text = "cluster ";
  for (const auto& each : seeds) text += (&each == &seeds.front() ? "" : ",") + each.name();
  return text;
}

bool is_cluster_url(std::string_view url) noexcept {
  return url.starts_with(plain) || url.starts_with(by_tls);
}

cluster_target cluster_target_from_url(std::string_view url, client_params params) {
  const bool is_protected = url.starts_with(by_tls);
  url.remove_prefix(is_protected ? by_tls.size() : plain.size());
  const auto hosts_end = std::min(url.find_first_of("/?#"), url.size());
  // A user and a password have neither "@" nor "," in them that is not encoded.
  const auto at = url.substr(0, hosts_end).rfind('@');
  const auto login = url.substr(0, at == url.npos ? 0 : at + 1);
  auto hosts = url.substr(login.size(), hosts_end - login.size());
  const auto rest = url.substr(hosts_end);

  cluster_target to{.seeds = {}, .is_protected = is_protected, .params = {}};
  for (bool is_last = false; !is_last;) {
    const auto comma = hosts.find(',');
    is_last = comma == hosts.npos;
    // As the URL of one server, which each of them is.
    std::string one(is_protected ? "rediss://" : "redis://");
    one.append(login).append(hosts.substr(0, comma)).append(rest);
    auto seed = target_from_url(one, params);
    to.seeds.push_back(std::move(seed.where));
    to.params = std::move(seed.params);
    if (!is_last) hosts.remove_prefix(comma + 1);
  }
  if (to.params.database != 0) {
    throw std::invalid_argument("client_params.database is " + std::to_string(to.params.database) +
                                "; a cluster has database 0 only");
  }
  return to;
}

}  // namespace scalekit::redis::detail
