#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/shard_move.hpp"
#include "scalekit/db/shards.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db {

/// How a mover works; may be another for each process that takes a move up.
struct range_move_params {
  /// Rows a page: what is copied in one transaction. Default 500. Range 1 to 10000.
  std::size_t page_rows = 500;

  /// How long the start of recording and the fence wait for transactions that have written to the
  /// tables; on PostgreSQL writers to the tables wait behind them meanwhile. When it was not enough
  /// nothing has changed, and run() tries again, ten times. Default 1 s. Range 1 ms to 1 min.
  std::chrono::nanoseconds fence_timeout = std::chrono::seconds{1};

  /// Hears what is about to be changed, for a log; what it throws stops the mover there. Default:
  /// nobody.
  std::function<void(std::string_view)> about_to = {};
};

/// What is moved where.
struct range_move_order {
  /// Its name in messages and tables, unlike that of any other move. 1 to 100 bytes.
  std::string id;
  /// Keys that belong to one shard now: of a hashed map buckets, of a lookup map one key
  /// (shard_map::only()).
  shard_range places;
  /// Whose they will be.
  std::string to;
  /// Every table that has rows of these keys; what refers to another table stands after it.
  std::vector<shard_table> tables;
};

struct range_move_status {
  /// Nothing: the move is over.
  std::optional<move_phase> phase;
  /// Of this mover.
  std::uint64_t rows_copied = 0;
  std::uint64_t changes_copied = 0;
  std::uint64_t rows_verified = 0;
  std::uint64_t rows_deleted = 0;
};

/// Moves the rows of a range from one shard to another while they are read and written.
///
///     auto move = db::range_move::start(shop, {.id = "split-2", .places = {.from = 500},
///                                              .to = "two", .tables = {...}});
///     move.run();
///
/// What it does, in the order of move_phase:
///
/// 1. The map says that a move is under way; one lease later every process knows.
/// 2. Triggers at the source record which rows of the range change. The rows are copied page by
///    page, then those that changed, again and again; then both sides are compared row by row,
///    while writes go on.
/// 3. A trigger at the source refuses writes to the range. To set it, it waits for the transactions
///    that have written to the tables. The last changes are copied. Then the map names the new
///    owner. Writers are refused for as long as that takes, a few round trips; shard's blocking
///    calls wait and go on at the target.
/// 4. A lease later nobody reads at the source any more, and the rows are deleted there. The fence
///    stays, so that whoever still goes by an old map, or by none, is refused and loses nothing; a
///    move back lifts it.
///
/// A change of a row is therefore either committed before the recording begins, and copied with the
/// page, or recorded by the database in the transaction that makes it, or refused: no acknowledged
/// write is lost, whatever map its writer has. A write that comes by an old map when the rows have
/// been deleted finds none and changes none; see shard for who notices.
///
/// On SQLite triggers do not see `insert or replace` throw another row out by a unique key that is
/// not the id. Partitioned tables are not supported. Foreign keys at the target that are not
/// deferred can refuse a row whose parent was changed meanwhile; the move then fails with that
/// error. A move ends only if changes can be copied faster than they are made.
///
/// Every step is durable in the map (phases), at the target (pages) or in the tables of changes
/// (the rest), so that after a crash any process resume()s it. A mover that was taken over can
/// change nothing more. Names that begin with scalekit_ are its own, on each shard it has touched;
/// the user of the clients must be allowed to create tables, functions and triggers there.
///
/// Thread safety: one thread at a time.
class SCALEKIT_EXPORT range_move {
 public:
  /// Announces a move, in the map that is stored. Throws errc::not_supported for shards whose map
  /// is not, errc::conflict while there is another move, errc::invalid_argument for an order that
  /// cannot be carried out, std::invalid_argument for params out of range, naming it. Blocks.
  static range_move start(shards on, range_move_order order, range_move_params params = {});

  /// Takes up the move that the stored map has, from whoever was at it. Throws errc::not_found when
  /// there is none. Blocks.
  static range_move resume(shards on, range_move_params params = {});

  range_move(range_move&&) noexcept;
  range_move& operator=(range_move&&) noexcept;
  ~range_move();

  /// To the end, on the calling thread: most of the time it copies, and two times it waits for the
  /// lease. `stop` ends it between two pages, with errc::cancelled; run() goes on from there. So it
  /// does after an error that is transient. Throws errc::lease_lost when another mover has taken
  /// over, errc::constraint_violation when the target has rows in the way, errc::corrupt when both
  /// sides differ after all, and what statements throw; the move stays as it is, to be run again or
  /// to be given up.
  void run(std::stop_token stop = {});

  /// One page or one change of state. Returns how long nothing is to be done before the next: zero
  /// mostly, what is left of the lease otherwise; nothing when the move is over.
  std::optional<std::chrono::nanoseconds> step();

  /// Gives the move up: the next run() or step() takes back what was done. Throws errc::not_allowed
  /// once the map was switched; then the way back is another move.
  void abort();

  range_move_status status() const;

 private:
  struct state;
  explicit range_move(std::unique_ptr<state> s) noexcept;

  std::unique_ptr<state> state_;
};

}  // namespace scalekit::db
