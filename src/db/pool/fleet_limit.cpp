#include "db/pool/fleet_limit.hpp"

#include <algorithm>

namespace scalekit::db::detail {
namespace {

/// Connections that so many clients share.
struct pot {
  std::size_t connections;
  std::size_t clients;
  const char* of;

  std::size_t share() const { return connections / clients; }
};

pot pot_of(std::size_t connections, std::size_t clients, const char* of) {
  const auto spare = std::max<std::size_t>(connections / 20, 2);
  return {connections - std::min(spare, connections), std::max<std::size_t>(clients, 1), of};
}

}  // namespace

fleet_limit share_of_fleet(const fleet_facts& facts, std::size_t beside, std::size_t own_min,
                           std::size_t own_max) {
  auto least = pot_of(facts.max_connections - std::min(facts.reserved, facts.max_connections),
                      facts.clients, "");
  auto compare = [&least](const fleet_facts::own_limit& limit, const char* of) {
    if (limit.connections < 0) return;
    const auto other = pot_of(static_cast<std::size_t>(limit.connections), limit.clients, of);
    if (other.share() < least.share()) least = other;
  };
  compare(facts.role, " of the role");
  compare(facts.database, " of the database");

  const auto share = std::max(least.share(), beside + 1) - beside;
  if (share >= own_max) return {own_min, own_max, {}};
  return {std::min(own_min, share), share,
          "fleet: " + std::to_string(least.connections) + " connections" + least.of + " among " +
              std::to_string(least.clients) + (least.clients == 1 ? " client" : " clients")};
}

}  // namespace scalekit::db::detail
