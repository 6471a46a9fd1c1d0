#include "scalekit/db/shards.hpp"

#include "db/shards/map_store.hpp"

#include <stdexcept>

namespace scalekit::db {
namespace {

using namespace std::chrono_literals;

void require(bool holds, const char* what) {
  if (!holds) throw std::invalid_argument(std::string("shards_params.") + what);
}

void validate(const shards_params& p) {
  require(!p.name.empty(), "name is empty");
  require(p.lease >= 3ms && p.lease <= 1h, "lease is out of its range, 3 ms to 1 h");
  require(p.refresh >= 1ms && p.refresh * 3 <= p.lease,
          "refresh is out of its range, 1 ms to a third of the lease");
  require(p.switch_wait >= 0ns && p.switch_wait <= 1h, "switch_wait is out of its range, 0 to 1 h");
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
    throw std::invalid_argument("shards_params.lease is not that of the stored map, " +
                                std::to_string(lease_us) +
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
