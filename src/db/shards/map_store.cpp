#include "db/shards/map_store.hpp"

#include "scalekit/core/error.hpp"

#include <array>

namespace scalekit::db::detail {

void create_map_table(client& home) {
  constexpr std::array<std::string_view, 1> steps{
      "create table scalekit_shard_map (name text not null primary key, version bigint not null,"
      " lease_us bigint not null, map text not null)"};
  home.migrate("shards", steps);
}

statement select_map(std::string_view name) {
  return sql("select version, map, lease_us from scalekit_shard_map where name = $1", name);
}

call_options map_read_options() {
  return {.consistency = consistency::primary()};
}

stored_map load_map(client& home, std::string_view name) {
  auto found = home.read_optional<stored_map>(select_map(name), map_read_options());
  if (!found) {
    throw error(errc::not_found, "shards: the map '" + std::string(name) + "' is not stored");
  }
  return std::move(*found);
}

void insert_map(client& home, std::string_view name, const shard_map& map,
                std::chrono::nanoseconds lease) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(lease).count();
  home.write(
      sql("insert into scalekit_shard_map (name, version, lease_us, map) values ($1, $2, $3, $4)"
          " on conflict (name) do nothing",
          name, map.version(), us, map.to_json()));
}

void replace_map(client& home, std::string_view name, const shard_map& next) {
  const auto done =
      home.write(sql("update scalekit_shard_map set version = $1, map = $2"
                     " where name = $3 and version = $4",
                     next.version(), next.to_json(), name, next.version() - 1));
  if (done.rows_affected() == 1) return;
  throw error(errc::conflict, "shards: version " + std::to_string(next.version()) +
                                  " of the map '" + std::string(name) +
                                  "' cannot be stored: somebody else has changed the map");
}

}  // namespace scalekit::db::detail
