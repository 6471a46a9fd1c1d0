#pragma once

#include "scalekit/db/client.hpp"
#include "scalekit/db/shard_map.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

// Where several processes find the same map: one row of a table in the home database. A map is
// replaced only by who has seen the one before, so that no two can change it at the same time.

namespace scalekit::db::detail {

/// As it is read: version, map, lease in microseconds.
using stored_map = std::tuple<std::int64_t, std::string, std::int64_t>;

void create_map_table(client& home);
statement select_map(std::string_view name);
/// Always from the primary.
call_options map_read_options();
/// Throws errc::not_found when there is none.
stored_map load_map(client& home, std::string_view name);
/// Does nothing when there is one already.
void insert_map(client& home, std::string_view name, const shard_map& map,
                std::chrono::nanoseconds lease);
/// Throws errc::conflict when the stored one is not the version before.
void replace_map(client& home, std::string_view name, const shard_map& next);

}  // namespace scalekit::db::detail
