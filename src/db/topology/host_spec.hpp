#pragma once

#include "scalekit/db/labels.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db::detail {

/// One host of a client.
struct host_spec {
  /// A name, an address (IPv6 without brackets), or the directory of a unix socket.
  std::string host;
  std::uint16_t port = 5432;
  db::labels labels = {};
};

/// "10.0.0.1:5432", "[::1]:5432", "/run/postgresql:5432".
std::string to_string(const host_spec& host);

/// topology_params::hosts taken apart. Nothing where one cannot be read, or a place is there twice.
std::optional<std::vector<host_spec>> parse_hosts(const std::vector<std::string>& texts);

/// Gives hosts the labels of topology_params::replica_labels. Throws std::invalid_argument naming
/// the part that cannot be read, or the host that is not one of `hosts`.
void apply_labels(std::vector<host_spec>& hosts, std::string_view replica_labels);

}  // namespace scalekit::db::detail
