#pragma once

#include "scalekit/core/log.hpp"
#include "scalekit/db/credentials.hpp"
#include "scalekit/db/pool_params.hpp"
#include "scalekit/db/topology_params.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace scalekit::slow {
class tracker;
}

namespace scalekit::db {

/// When a commit on SQLite counts as durable.
enum class synchronous_mode {
  /// Never waits for the disk: a power failure may lose commits and damage the file.
  off,
  /// WAL is synced at checkpoints: a power failure may lose the last commits; a crash of the
  /// process loses nothing, and the file stays sound.
  normal,
  /// Every commit is on the disk before it is acknowledged.
  full,
  /// As full, and the directory is synced too.
  extra,
};

/// How a SQLite file is opened.
enum class sqlite_mode { read_write_create, read_write, read_only };

/// Settings of the SQLite driver. In a URL: `sqlite:///shop.db?readers=8&synchronous=normal`, by
/// the field's own name; `mode` takes rwc, rw and ro, sizes are written as "64 MiB" (%20 for the
/// space) or in bytes.
struct sqlite_params {
  /// Connections for reads, opened when first needed. Default 4: reads are CPU and page cache,
  /// more than the machine's cores seldom helps. Range 1 to 64. An in-memory database has one
  /// connection for everything, and ignores it.
  std::size_t readers = 4;

  /// Default read_write_create.
  sqlite_mode mode = sqlite_mode::read_write_create;

  /// Default full: what was acknowledged survives a power failure.
  synchronous_mode synchronous = synchronous_mode::full;

  /// Page cache of each connection. Default 8 MiB. Range 64 KiB to 16 GiB.
  std::uint64_t cache_bytes = std::uint64_t{8} << 20;

  /// How much of the file is read through a memory map. Default 0: off, because an I/O error
  /// under a map is a signal that kills the process. Range 0 to 1 TiB.
  std::uint64_t mmap_bytes = 0;

  /// The WAL file is cut to this size after a checkpoint. Default 64 MiB. Range 0 to 1 TiB.
  std::uint64_t journal_size_limit = std::uint64_t{64} << 20;

  /// Refuse to grow the database beyond this (errc::disk_full). Default 0: no limit of ours.
  /// Rounded up to whole pages.
  std::uint64_t max_database_bytes = 0;
};

/// Settings of a client. Each can also be given in the URL's query by its name, which wins over
/// the struct: `sqlite:///shop.db?statement_timeout=250ms`. See client_settings().
struct client_params {
  /// For one statement outside a transaction, and for each one in it; from the call to its last
  /// row. Default 5 s. Range 1 ms to 24 h.
  std::chrono::nanoseconds statement_timeout = std::chrono::seconds{5};

  /// For the wait for a connection alone, within the timeout of the call. Default 2 s: who waits
  /// longer is better told that the service is overloaded. Range 0 (never wait) to 24 h.
  std::chrono::nanoseconds acquire_timeout = std::chrono::seconds{2};

  /// For a whole transaction. Default 30 s. Range 1 ms to 24 h.
  std::chrono::nanoseconds transaction_timeout = std::chrono::seconds{30};

  /// Callers that may wait for readers, and as many again for the writer; one more is turned away
  /// at once with errc::shed. On PostgreSQL as many for each server, and for each of the `lanes`.
  /// Default 1000. Range 0 to 1'000'000.
  std::size_t max_waiting = 1000;

  /// Prepared statements kept for each connection, least recently used out first. Default 256.
  /// Range 1 to 10'000.
  std::size_t statement_cache = 256;

  /// The largest value, row or statement text, in either direction; larger is errc::too_large.
  /// Default 64 MiB. Range 1 KiB to 10^9 bytes.
  std::size_t max_value_bytes = std::size_t{64} << 20;

  /// The SQLite driver's own.
  sqlite_params sqlite = {};

  /// The connections to each server. Not used by SQLite.
  pool_params pool = {};

  /// Connections to each server that concurrent reads share: what is asked at about the same time
  /// goes out together, which multiplies throughput. Only reads outside transactions that are
  /// proven, by the server's own catalogue, to lock nothing and to call nothing volatile take part,
  /// after they have shown to be fast. They come out of `pool`; callers that block have half as
  /// many, rounded up, of their own. Default 3. Range 1 to 16, or 0: every read has a connection of
  /// its own. Not used by SQLite.
  std::size_t lanes = 3;

  /// What counts as fast for `lanes`: a read shares a connection while at most one in ten of its
  /// runs takes longer, from being sent to its answer, the way to the server included. A longer one
  /// holds up those behind it; so raise it only where the server is further away than a few
  /// milliseconds, by its round trip. Default 5 ms. Range 100 us to 10 s.
  std::chrono::nanoseconds lane_latency = std::chrono::milliseconds{5};

  /// Between the client and the server stands a pooler that gives each transaction another
  /// connection to the server (PgBouncer with pool_mode=transaction). Then nothing is left in a
  /// session that the next transaction could miss: statements are sent with their text instead of
  /// being prepared, a read is a read-only transaction of its own, and there are no lanes
  /// (`lanes` and `statement_cache` have no effect).
  ///
  /// Default nothing ("auto" in a URL): the first connection to each host finds out, for one round
  /// trip, whether a pooler stands there. Its mode cannot be found out, so any pooler is taken for
  /// one of this kind, which is right in every mode but slower than need be in session mode: there
  /// say false. Say true for a pooler that passes on the server's own process numbers. Not used by
  /// SQLite.
  std::optional<bool> transaction_pooler = std::nullopt;

  /// Of drivers with several hosts.
  topology_params topology = {};

  /// Asked who logs in, for each connection that is opened; null (the default): as the URL says.
  /// Only settable here. Not used by SQLite.
  credentials_source credentials = {};

  /// Told of every statement's times, rows, outcome and call site; null (the default): nobody.
  /// Only settable here.
  std::shared_ptr<slow::tracker> tracker = {};

  /// Where events go; warnings, but for those that say otherwise. Waits and refusals are in
  /// statistics() and, by statement, in the tracker. Only settable here.
  ///
  /// | event                    | fields               | when                                   |
  /// | ------------------------ | -------------------- | -------------------------------------- |
  /// | db.open (info)           | path                 | a SQLite file was opened               |
  /// | db.corrupt (error)       | path                 | a statement found the file damaged     |
  /// | db.pool.dial_failed      | server               | a connection was not made; says why    |
  /// | db.pool.leak             | server               | one is held for longer than leak_after |
  /// | db.pool.nested_acquire   | server               | who holds one waits for another        |
  /// | db.host.role_changed     | server, db.host.role | it is primary, or replica, now         |
  /// | db.failover              | server               | writes go to this one now              |
  /// | db.host.timeline_unknown | server               | once: the user lacks pg_monitor        |
  /// | db.host.pooler_found     | server               | it was not declared; says what is done |
  /// | db.fleet.share (info)    | server               | a new share of pool_params::fleet_budget |
  /// | db.fleet.not_heard       | server               | the last share holds                   |
  /// | db.fleet.unavailable     | server               | the settings' own limits hold          |
  /// | db.split_brain (error)   |                      | two primaries, not to be told apart    |
  ///
  /// "server" are two fields: server.address and server.port.
  log_sink log = {};
};

}  // namespace scalekit::db
