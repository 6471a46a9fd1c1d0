#include "db/topology/host_spec.hpp"

#include "core/require.hpp"
#include "scalekit/core/error.hpp"

namespace scalekit::db::detail {
namespace {

using scalekit::detail::require;

constexpr std::string_view legal =
    "host[:port]:name=value,...;... with the hosts of the URL, IPv6 as [::1]";

/// "10.0.0.2:5433", "[::1]", "/run/postgresql" against a host. Without a port every port fits.
bool names(std::string_view text, const host_spec& host) {
  const bool is_ipv6 = host.host.find(':') != std::string::npos;
  const auto name = is_ipv6 ? '[' + host.host + ']' : host.host;
  if (!text.starts_with(name)) return false;
  text.remove_prefix(name.size());
  return text.empty() || text == ':' + std::to_string(host.port);
}

void apply_one(std::vector<host_spec>& hosts, std::string_view part) {
  // Labels have no ':' in them.
  const auto colon = part.rfind(':', part.find('='));
  require(part.find('=') != std::string_view::npos && colon != std::string_view::npos,
          "replica_labels", "'" + std::string(part) + "'", legal);
  db::labels given;
  try {
    given = parse_labels(part.substr(colon + 1));
  } catch (const error& e) {
    require(false, "replica_labels", e.diag().client_message, legal);
  }
  bool found = false;
  for (auto& host : hosts) {
    if (!names(part.substr(0, colon), host)) continue;
    found = true;
    for (const auto& [name, value] : given) host.labels.insert_or_assign(name, value);
  }
  require(found, "replica_labels", "for '" + std::string(part.substr(0, colon)) + "'",
          "a host of the URL");
}

}  // namespace

std::string to_string(const host_spec& host) {
  const bool is_ipv6 = host.host.find(':') != std::string::npos;
  return (is_ipv6 ? '[' + host.host + ']' : host.host) + ':' + std::to_string(host.port);
}

void apply_labels(std::vector<host_spec>& hosts, std::string_view replica_labels) {
  while (!replica_labels.empty()) {
    const auto end = replica_labels.find(';');
    const auto part = replica_labels.substr(0, end);
    if (part.find_first_not_of(' ') != std::string_view::npos) {
      apply_one(hosts, part.substr(part.find_first_not_of(' ')));
    }
    replica_labels.remove_prefix(end == std::string_view::npos ? replica_labels.size() : end + 1);
  }
}

}  // namespace scalekit::db::detail
