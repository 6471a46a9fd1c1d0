#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/db/client.hpp"
#include "scalekit/testing/fault.hpp"
#include "scalekit/testing/injected_fault.hpp"
#include "scalekit/testing/logged_call.hpp"

#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace scalekit::testing {

/// A database for tests, whose calls fail, are late or are in doubt when a test wants it:
///
///     testing::database database;                     // in memory, empty
///     order_service orders(database.client());        // as in production
///     database.inject({.on = testing::call_kind::write, .error = errc::unavailable, .times = 2});
///
/// Faults stand between the client and its driver: what meets one has reached neither connection
/// nor pool, and is not in statistics() or the tracker. As on PostgreSQL, client::transaction()
/// repeats a transaction that a fault has ended with errc::conflict or errc::connection_lost.
/// Locks, savepoints, and rows that insert_many() sends by COPY, meet none.
///
/// A call that is held or delayed ends by itself when its timeout has passed, by the database's
/// clock or by the machine's (errc::execution_timeout; of a begin acquire_timeout), and when it is
/// stopped (errc::cancelled). The first such call starts a thread, which ends with the database.
///
/// Thread safety: all members may be called from any thread.
/// Object lifetimes: its clients may outlive it; they meet no faults then. The clock must outlive
/// both.
class SCALEKIT_EXPORT database {
 public:
  /// Puts faults before a client: by default before a SQLite database in memory, which is empty,
  /// nobody else's, and gone with the last client of it.
  explicit database(db::client over = db::client::open("sqlite::memory:"),
                    const scalekit::clock& time = scalekit::clock::system());

  /// Removes all faults, which lets go what they hold.
  ~database();
  database(const database&) = delete;
  database& operator=(const database&) = delete;

  /// What the code under test is given. `over` itself meets no faults.
  db::client client() const;

  /// From now on. Where several faults are for one call it meets the oldest that is not used up,
  /// and is not counted by the others. `site` names it in the errors that it makes.
  ///
  /// Throws std::invalid_argument, with the field, for a fault that is out of range, does nothing
  /// or can never be met.
  injected_fault inject(fault what, std::source_location site = std::source_location::current());

  /// Faults that are not used up, by the place where they were injected and how often they were
  /// met. One that is unlimited is left over until it was met. A test ends with
  /// `CHECK(database.faults_left().empty())`.
  std::vector<std::string> faults_left() const;

  void remove_faults();

  /// All calls since the last clear_log(), in the order in which they were made, with those that a
  /// fault has kept from being run.
  std::vector<logged_call> log() const;
  void clear_log();

 private:
  std::shared_ptr<detail::gate> gate_;
  db::client client_;
};

}  // namespace scalekit::testing
