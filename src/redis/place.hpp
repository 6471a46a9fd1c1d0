#pragma once

#include "scalekit/redis/client_params.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::redis::detail {

/// Where a server is.
struct place {
  /// A unix socket's; else empty.
  std::string path = {};
  /// A name, or an address without brackets.
  std::string host = {};
  std::uint16_t port = 6379;

  /// For people: "10.0.0.9:6379", "[::1]:6379", "/run/redis.sock".
  std::string name() const;

  friend bool operator==(const place&, const place&) = default;
};

/// What a server has to be.
enum class server_role : std::uint8_t {
  any,
  /// It says itself that it is one.
  master,
  /// A node of a cluster that answers reads by itself where it is a replica.
  reading_replica,
};

struct target {
  /// The server; that of the first sentinel where sentinels say which server it is.
  place where;
  /// Who says where the server is; empty: it is known.
  std::vector<place> sentinels = {};
  /// By TLS.
  bool is_protected = false;
  /// Checked, with what the URL says; the user and the password too.
  client_params params;
  /// A node of a cluster, which as a replica is to answer reads by itself.
  bool reads_replica = false;

  /// For people: the server, or the service and its sentinels.
  std::string name() const;
};

/// Reads a URL as client::open() takes it. Throws std::invalid_argument; never shows the URL.
target target_from_url(std::string_view url, client_params params);

}  // namespace scalekit::redis::detail
