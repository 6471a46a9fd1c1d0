#pragma once

#include "db/shards/move_sql.hpp"
#include "db/shards/moved_row.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/db/shard_move.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db::detail {

struct move_counters {
  std::uint64_t rows_copied = 0;
  std::uint64_t changes_copied = 0;
  std::uint64_t rows_verified = 0;
  std::uint64_t rows_deleted = 0;
};

/// Another mover is at the move, or has ended it.
error taken_over(const shard_move& move);

/// The work of one mover on the source and the target, each piece a few short transactions. Each
/// piece may be done again: after a crash nobody knows which of them were.
///
/// Every transaction first makes sure that no other mover has taken over (errc::lease_lost): the
/// row of the move on either shard holds its owner, and whoever takes over waits for what is under
/// way and locks out what comes after.
class move_worker {
 public:
  /// `about_to` hears of each change before it is made.
  move_worker(client source, client target, shard_move move, std::size_t page_rows,
              std::chrono::nanoseconds fence_timeout,
              std::function<void(std::string_view)> about_to);

  void enter(move_phase phase) noexcept { move_.phase = phase; }
  /// Throws errc::invalid_argument for tables that are not the same on both shards.
  void check_tables();
  void claim();
  void prepare();
  /// Each returns whether that was the last page.
  bool copy_page();
  bool verify_page();
  bool delete_page() { return delete_page(source_, "delete a page at the source"); }
  bool clean_page() { return delete_page(target_, "delete a page at the target"); }
  struct replayed {
    std::size_t changes;
    /// Of no table there were more.
    bool is_all;
  };
  /// At most a page of each table.
  replayed replay();
  void fence();
  void unfence();
  void lift();
  void release();
  void forget();

  const move_counters& counters() const noexcept { return counters_; }

 private:
  template <class Body>
  void change(client& where, std::string_view what, Body body,
              std::chrono::nanoseconds timeout = {});
  template <class Body>
  auto look(client& where, Body body);

  static std::vector<moved_row> read_rows(transaction& tx, const statement& query,
                                          std::size_t image, std::size_t all);
  std::vector<moved_row> page(client& where, const moved_table& t, const value_list& after);
  std::vector<moved_row> between(transaction& tx, const moved_table& t, const value_list& after,
                                 const value_list& until);
  std::vector<moved_row> between(client& where, const moved_table& t, const value_list& after,
                                 const value_list& until);
  void put(transaction& tx, const moved_table& t, const std::vector<moved_row>& rows);
  /// The rows whose ids are in these changes, after the number.
  void remove(transaction& tx, const moved_table& t, const std::vector<const moved_row*>& changes);
  std::size_t replay(const moved_table& t);
  void catch_up(const moved_table& t);
  void set_fence(client& where, std::string_view what, bool away);
  bool delete_page(client& where, std::string_view what);

  client source_;
  client target_;
  shard_move move_;
  const std::size_t page_rows_;
  // Small pages must not make it slower than those who write.
  const std::size_t page_changes_;
  const std::chrono::nanoseconds fence_timeout_;
  const std::function<void(std::string_view)> about_to_;
  const move_sql sql_;
  std::vector<moved_table> tables_;
  move_progress copied_;
  move_progress verified_;
  std::size_t deleting_ = 0;
  move_counters counters_;
};

}  // namespace scalekit::db::detail
