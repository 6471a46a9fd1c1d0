#pragma once

#include "db/postgres/name_lookup.hpp"
#include "db/postgres/pq.hpp"
#include "db/topology/host_spec.hpp"
#include "scalekit/db/client_params.hpp"
#include "scalekit/db/credentials.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db::postgres {

/// What libpq is told to reach one server: keywords and values. Holds the password.
struct server_address {
  keyword_list keywords;
  /// Of a host that is named: where it is, asked for each connection. Else null.
  std::shared_ptr<name_lookup> lookup = {};
  /// Asked for each connection, whose answer goes over the keywords; may be null.
  credentials_source credentials = {};
  /// libpq's connect_timeout, which it minds only where it waits by itself. Nothing: no limit.
  std::optional<std::chrono::seconds> connect_timeout = {};
  /// "10.0.0.1:5432" or "/run/postgresql:5432", for people.
  std::string name = {};
  /// The same place, with its labels.
  detail::host_spec where = {};
};

/// Where the servers are and how they are used, checked.
struct settings {
  std::vector<server_address> servers;
  client_params params;
};

/// Reads `postgresql://user@host1:5432,host2/db?keyword=value`: what is a setting of client_params
/// is taken out, the rest is libpq's, which also looks for hosts in the service file and in the
/// environment. Throws std::invalid_argument; never shows a password.
settings settings_from_url(std::string_view url, client_params params);

/// True for the schemes postgresql and postgres.
bool is_postgres_url(std::string_view url) noexcept;

}  // namespace scalekit::db::postgres
