#include "scalekit/db/shards.hpp"

#include "core/require.hpp"
#include "db/call_site.hpp"
#include "db/shards/map_store.hpp"

namespace scalekit::db {
namespace {

using namespace std::chrono_literals;

void validate(const shards_params& p) {
  using scalekit::detail::require_range;
  scalekit::detail::require(!p.name.empty(), "shards_params.name", "empty", "1 byte or more");
  require_range("shards_params.lease", p.lease, 3ms, 1h);
  // At most a third of the lease.
  require_range("shards_params.refresh", p.refresh, 1ms, p.lease / 3);
  require_range("shards_params.switch_wait", p.switch_wait, 0ms, 1h);
}

}  // namespace

shards::shards(named_clients clients, shard_map map)
    : set_(std::make_shared<detail::shard_set>(std::move(clients), std::move(map), std::nullopt,
                                               shards_params{}, time_point{})) {}

shards shards::open(named_clients clients, client home, shard_map first, shards_params params) {
  validate(params);
  detail::create_map_table(home);
  detail::insert_map(home, params.name, first, params.lease);
  const auto asked = std::chrono::steady_clock::now();
  const auto [version, text, lease_us] = detail::load_map(home, params.name);
  if (std::chrono::microseconds(lease_us) !=
      std::chrono::duration_cast<std::chrono::microseconds>(params.lease)) {
    scalekit::detail::require(false, "shards_params.lease", detail::in_ms(params.lease),
                              "that of the stored map, " + std::to_string(lease_us) +
                                  " us: it must be the same in every process");
  }
  return shards(std::make_shared<detail::shard_set>(std::move(clients), shard_map::parse(text),
                                                    std::move(home), std::move(params), asked));
}

void shards::replace_map(shard_map next) {
  const auto known = set_->current().map;
  if (known->move()) {
    throw error(errc::not_allowed, "shards: the map cannot be replaced while move '" +
                                       known->move()->id + "' is under way");
  }
  if (!set_->home()) return set_->replace(std::move(next));
  if (next.version() != known->version() + 1) {
    throw error(errc::conflict, "shards: version " + std::to_string(next.version()) +
                                    " of the map does not follow version " +
                                    std::to_string(known->version()));
  }
  auto home = *set_->home();
  const auto asked = std::chrono::steady_clock::now();
  detail::replace_map(home, set_->params().name, next);
  set_->install(std::move(next), asked);
}

}  // namespace scalekit::db
