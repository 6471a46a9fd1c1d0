#pragma once

#include "scalekit/core/export.hpp"

#include <chrono>
#include <cstddef>

namespace scalekit::db {

/// How the connections to one database server are pooled. How long a caller waits for one, and how
/// many may wait, are client_params' acquire_timeout and max_waiting.
///
///     client_params{.pool = pool_params::medium()}
///     client_params{.pool = {.min = 2, .max = 8}}
///
/// In a URL: `?pool.max=50&pool.idle_timeout=1min`, by the field's own name. Used by the drivers
/// that talk to servers; SQLite has sqlite_params::readers.
struct pool_params {
  /// Connections kept open, once the pool was used for the first time; nothing is dialed before.
  /// Default 5. Range 0 (none is kept) to `max`.
  std::size_t min = 5;

  /// Connections at most, those that are being opened, checked or closed included. Default 20:
  /// a server is fastest with a few connections a core; more only queue inside it. Range 1 to
  /// 10'000.
  std::size_t max = 20;

  /// For opening one connection, from name resolution to the last reply of the login. Nobody has
  /// to wait that long: a caller gives up at its own acquire_timeout, and the connection that was
  /// being opened serves somebody else. Default 30 s: a server in recovery may take that. Range
  /// 1 ms to 1 h.
  std::chrono::nanoseconds create_timeout = std::chrono::seconds{30};

  /// For bringing back into order one whose caller went away: its statement is cancelled, its
  /// answer read, its transaction rolled back. After that it is simply closed. Its place in the
  /// pool is taken until then. Default 5 s. Range 1 ms to 1 h.
  std::chrono::nanoseconds destroy_timeout = std::chrono::seconds{5};

  /// Connections above `min` that were not used for this long are closed. Default 5 min. Range
  /// 0 (never) to 24 h.
  std::chrono::nanoseconds idle_timeout = std::chrono::minutes{5};

  /// How often, at most, the pool looks for idle, old and leaked connections: each of those times
  /// may be late by this. Nothing runs while nothing can become due. Default 1 s. Range 1 ms to
  /// 1 h.
  std::chrono::nanoseconds reap_interval = std::chrono::seconds{1};

  /// Before dialing again after a failure; doubles with each failure in a row up to ten times
  /// this, with jitter (half of it to all). Default 200 ms: a server that restarts is found again
  /// within 2 s. Range 1 ms to 1 h.
  std::chrono::nanoseconds create_retry_interval = std::chrono::milliseconds{200};

  /// A connection that idles this long is asked for a sign of life; one that gives none within
  /// 5 s is closed. Default 30 s: below the idle timeout of most firewalls. Range 0 (never)
  /// to 24 h.
  std::chrono::nanoseconds health_check_interval = std::chrono::seconds{30};

  /// A connection is replaced at an age drawn from half of this to all of it, so that those opened
  /// together do not end together; where it is needed, its successor is opened shortly before.
  /// Default 1 h: each is replaced after 30 to 60 minutes, which bounds the memory a server
  /// process gathers. Range 0 (never) to 30 days.
  std::chrono::nanoseconds max_lifetime = std::chrono::hours{1};

  /// Connections that may be opened at the same time. Default 2: a burst of callers must not
  /// become a storm of logins, which cost the server more than queries. While the server refuses,
  /// one is tried at a time. Range 1 to 100.
  std::size_t max_dials = 2;

  /// Whether the size follows the use, between `min` and `max`: callers that wait while more than
  /// `grow_above` is in use make it grow by a quarter; use below `shrink_below` makes it shrink by
  /// one. False: it is `max` at once, and only idle_timeout shrinks the pool. Default true: the
  /// smallest size that serves the load is the fastest for the server.
  bool adaptive = true;

  /// The share of its connections that is in use, averaged over `grow_after`, above which the pool
  /// grows. Default 0.8. Range 0.1 to 1, above `shrink_below`; 1 means never.
  double grow_above = 0.8;

  /// The share, averaged over `shrink_after`, below which it shrinks. Default 0.3. Range 0 (never)
  /// to 0.9, below `grow_above`.
  double shrink_below = 0.3;

  /// Default 250 ms: from 5 to 20 in 2 s, an acquire_timeout. Range 1 ms to 1 h.
  std::chrono::nanoseconds grow_after = std::chrono::milliseconds{250};

  /// Default 10 s: longer than the pauses of usual traffic. Range 1 ms to 24 h.
  std::chrono::nanoseconds shrink_after = std::chrono::seconds{10};

  /// A wait for a connection that is still called good. When none was as short for
  /// `shed_interval`, callers that waited twice as long are turned away (errc::shed), the longest
  /// wait first, until waits are good again: under lasting overload every caller would otherwise
  /// wait nearly its whole acquire_timeout (CoDel; ACM Queue 2012). Default 50 ms: ten times as
  /// many callers as connections, each holding one for 5 ms, are still all served. Range 0 (nobody
  /// is turned away for it) to 1 h.
  std::chrono::nanoseconds shed_target = std::chrono::milliseconds{50};

  /// Default 2 s: a burst that is over by then turns nobody away. Range 1 ms to 1 h.
  std::chrono::nanoseconds shed_interval = std::chrono::seconds{2};

  /// One that is lent for this long is reported in the log, with the place that took it. Default
  /// 60 s: twice the default transaction_timeout. Range 0 (never) to 24 h.
  std::chrono::nanoseconds leak_after = std::chrono::seconds{60};

  /// Whether many clients share what the server gives out (max_connections without those reserved,
  /// or the limit of the role or the database where that leaves less): each has an equal share at
  /// most, if that is less than `max`. All that set it count each other, through advisory locks on
  /// a connection that each has beside its pool, every topology_params::monitor_interval, which
  /// must be the same for all. When one joins, the others close idle connections, and busy ones on
  /// return; it has one connection for two intervals. When one is gone, killed ones too, the
  /// others grow after two or three. Not behind a pooler in transaction mode, which shares out the
  /// server itself. Default false.
  bool fleet_budget = false;

  /// 5 to 20 connections: the default.
  static pool_params small() noexcept { return {}; }
  /// 10 to 100.
  static pool_params medium() noexcept { return {.min = 10, .max = 100}; }
  /// 50 to 100.
  static pool_params large() noexcept { return {.min = 50, .max = 100}; }
};

/// Throws std::invalid_argument for a value that can never work, naming field, value and range.
SCALEKIT_EXPORT void validate(const pool_params& params);

}  // namespace scalekit::db
