#pragma once

#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// What stands where on a Redis server: each entry under "NAMESPACE:k:" and its key, the epoch
/// under "NAMESPACE:e".
struct redis_names {
  explicit redis_names(const std::string& name_space)
      : epoch(name_space + ":e"), entries(name_space + ":k:") {}

  std::string of(std::string_view key) const { return entries + std::string(key); }

  const std::string epoch;
  const std::string entries;
};

}  // namespace scalekit::cache::detail
