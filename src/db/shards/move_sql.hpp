#pragma once

#include "db/shards/range_list.hpp"
#include "scalekit/db/dialect.hpp"
#include "scalekit/db/shard_move.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// The texts of a move. Everything that depends on the dialect is here.
//
// A row travels as its image and its place. On SQLite the image is all its columns; on PostgreSQL
// one text, the row's own, in which every type there is comes through unchanged. The place is the
// column by which it is sharded, and its ids: by them rows are ordered and gone through.

namespace scalekit::db::detail {

/// Of a table, on both shards.
struct moved_table {
  shard_table names;
  /// All that can be inserted, in their order.
  std::vector<std::string> columns;
  /// Those of them that cannot be updated: identities that are always generated.
  std::vector<std::string> fixed = {};
};

class move_sql {
 public:
  move_sql(dialect speaks, shard_range places) : speaks_(speaks), places_(std::move(places)) {}

  bool is_postgres() const noexcept { return speaks_ == dialect::postgres; }

  /// How many columns of a row that is read are its image, and how many all.
  std::size_t image_columns(const moved_table& t) const;
  std::size_t row_columns(const moved_table& t) const;

  /// Tables of bookkeeping, on every shard that a move has touched.
  std::string bookkeeping() const;
  /// So that texts mean the same on both shards; empty: they do.
  std::string_view session() const;
  /// Of table $1: name, type, whether it is computed, whether it cannot be updated.
  std::string columns() const;

  /// `after`: behind the place that is bound first.
  std::string select_page(const moved_table& t, bool after, std::size_t rows) const;
  /// `until`: up to the place that is bound last.
  std::string select_between(const moved_table& t, bool after, bool until) const;
  /// The number of a change, and the ids of its row.
  std::string select_changes(const moved_table& t, std::size_t rows) const;
  /// The number of the last change, from $1 on; how many there are up to $1.
  std::string last_change(const moved_table& t) const;
  std::string count_changes(const moved_table& t) const;
  /// Rows of which there are changes from $1 to $2.
  std::string select_changed(const moved_table& t) const;
  /// Takes images. Rows outside the range are never changed.
  std::string upsert(const moved_table& t, std::size_t rows) const;
  /// Takes the ids of each.
  std::string delete_rows(const moved_table& t, std::size_t rows) const;
  /// How many rows one statement takes at most: SQLite has no round trips to save.
  std::size_t most_rows() const noexcept { return is_postgres() ? 128 : 1; }
  std::string delete_change(const moved_table& t) const;
  std::string delete_page(const moved_table& t, std::size_t rows) const;
  std::string has_rows(const moved_table& t) const;

  std::string capture(const shard_table& t) const;
  std::string release(const shard_table& t) const;
  /// Refuses writes to these ranges; none: the end of it. On PostgreSQL it waits for every
  /// transaction that has written to the table.
  std::string fence(const shard_table& t, const range_list& away) const;

 private:
  std::string in(std::string_view column, const range_list& ranges) const;
  std::string in_places(std::string_view column) const { return in(column, {places_}); }
  std::string column_of(std::string_view of, const shard_table& t) const;
  std::string place_columns(const shard_table& t) const;
  std::string selected(const moved_table& t) const;
  std::string selected_after(const moved_table& t, bool after) const;
  std::string postgres_trigger(const shard_table& t, std::string_view kind,
                               std::string_view body) const;

  dialect speaks_;
  shard_range places_;
};

/// Throws errc::invalid_argument for a table or a range of which no triggers can be made.
void check_movable(const shard_table& t);
void check_movable(const shard_range& range);

}  // namespace scalekit::db::detail
