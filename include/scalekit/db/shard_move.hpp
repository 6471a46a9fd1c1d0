#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/shard_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db {

/// A table whose rows belong to shards.
struct shard_table {
  /// As in bulk_target. 40 bytes at most.
  std::string name;

  /// The column by which a row has its shard: the key or, of a hashed map, its bucket. Not null,
  /// and of integer or text type. An index on it, and on `ids` after it, is what makes a move fast;
  /// of a text on PostgreSQL, with collation "C".
  std::string column;

  /// The columns of its primary key, which must be unique over all shards, such as a uuid, or have
  /// the shard's key among them. Integer or text on SQLite; anything but bytea on PostgreSQL.
  std::vector<std::string> ids;
};

/// How far a move has come. Each is durable.
enum class move_phase {
  /// Everybody is told that rows are going to lie on two shards; waits until everybody knows.
  announced,
  /// Rows are copied; changes are recorded by triggers and copied after them; all is compared.
  copying,
  /// Writes to the range are refused while the last changes are copied. Short.
  switching,
  /// The range belongs to the target. What is left at the source is deleted once nobody reads it.
  switched,
  /// Given up: what was copied is deleted.
  aborting,
};

SCALEKIT_EXPORT std::string_view to_string(move_phase phase) noexcept;

/// A move as the map holds it, for all processes to see.
struct shard_move {
  std::string id = {};
  /// Keys or, of a hashed map, buckets.
  shard_range places = {};
  std::string from = {};
  std::string to = {};
  std::vector<shard_table> tables = {};
  move_phase phase = move_phase::announced;
  /// One more with each process that takes it over; those before it can change nothing any more.
  std::int64_t owner = 1;
};

}  // namespace scalekit::db
