#include "redis/cluster_url.hpp"

#include "redis/host_list.hpp"

#include <cstddef>
#include <stdexcept>
#include <utility>

namespace scalekit::redis::detail {
namespace {

constexpr std::string_view plain = "redis+cluster";
constexpr std::string_view by_tls = "rediss+cluster";

}  // namespace

std::string cluster_target::name() const {
  std::string text = "cluster ";
  for (const auto& each : seeds) text += (&each == &seeds.front() ? "" : ",") + each.name();
  return text;
}

bool is_cluster_url(std::string_view url) noexcept {
  const auto scheme = url.substr(0, url.find("://"));
  return scheme != url && (scheme == plain || scheme == by_tls);
}

cluster_target cluster_target_from_url(std::string_view url, client_params params) {
  const auto list = split_hosts(url);
  cluster_target to{.seeds = {}, .is_protected = list.scheme == by_tls, .params = {}};
  for (std::size_t host = 0; host < list.hosts.size(); ++host) {
    // As the URL of one server, which each of them is.
    auto seed = target_from_url(list.url_of(host, to.is_protected ? "rediss" : "redis"), params);
    to.seeds.push_back(std::move(seed.where));
    to.params = std::move(seed.params);
  }
  if (to.params.database != 0) {
    throw std::invalid_argument("client_params.database is " + std::to_string(to.params.database) +
                                "; a cluster has database 0 only");
  }
  return to;
}

}  // namespace scalekit::redis::detail
