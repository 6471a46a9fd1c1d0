#pragma once

#include "redis/place.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace scalekit::redis::detail {

/// A cluster, by some of its nodes.
struct cluster_target {
  std::vector<place> seeds;
  bool is_protected = false;
  client_params params;

  /// For people: "cluster 10.0.0.9:6379,10.0.0.10:6379".
  std::string name() const;
};

bool is_cluster_url(std::string_view url) noexcept;

/// Reads `redis+cluster://[user[:password]@]host[:port][,host[:port]...][?setting=value]`, or
/// rediss+cluster:// for TLS. Throws std::invalid_argument; never shows the URL.
cluster_target cluster_target_from_url(std::string_view url, client_params params);

}  // namespace scalekit::redis::detail
