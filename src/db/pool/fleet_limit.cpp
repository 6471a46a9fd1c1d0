#include "db/pool/fleet_limit.hpp"

#include <algorithm>

namespace scalekit::db::detail {

fleet_limit share_of_fleet(const fleet_facts& facts, std::size_t own_min, std::size_t own_max) {
  auto usable = facts.max_connections - std::min(facts.reserved, facts.max_connections);
  if (facts.role_limit >= 0) usable = std::min(usable, static_cast<std::size_t>(facts.role_limit));
  usable -= usable / 20;
  const auto instances = std::max<std::size_t>(facts.instances, 1);
  const auto share = std::max<std::size_t>(usable / instances, 1);
  if (share >= own_max) return {own_min, own_max, {}};
  return {std::min(own_min, share), share,
          "fleet: " + std::to_string(usable) + " connections among " + std::to_string(instances) +
              (instances == 1 ? " process" : " processes")};
}

}  // namespace scalekit::db::detail
