#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/log.hpp"
#include "scalekit/redis/tls_params.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace scalekit::redis {

/// Settings of a client. Each can also be given in the URL's query by its name, which wins over
/// the struct: `redis://10.0.0.9/?timeout=250ms`. See client_settings().
struct client_params {
  /// For one call, from where it is made to its answer. Default 5 s. Range 1 ms to 24 h.
  std::chrono::nanoseconds timeout = std::chrono::seconds{5};

  /// For the wait for a connection alone, within the timeout of the call. Once the server has not
  /// been reached for so long, calls fail at once, but for one that tries after each pause of
  /// `reconnect`. Default 2 s: longer than a server takes to be restarted. Range 0 to 24 h.
  std::chrono::nanoseconds acquire_timeout = std::chrono::seconds{2};

  /// For one attempt to connect: name resolution, TCP and login. Default 3 s. Range 1 ms to 10 min.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds{3};

  /// A shared connection on which calls are under way and nothing has come for so long is given up,
  /// and everything on it settled. Default 5 s; commands that keep the whole server busy for longer
  /// (a script, KEYS) need more. Range 10 ms to 1 h.
  std::chrono::nanoseconds silence_timeout = std::chrono::seconds{5};

  /// Between attempts to connect, with full jitter. Default 50 ms, doubling up to 2 s.
  backoff_params reconnect = {.base = std::chrono::milliseconds{50},
                              .cap = std::chrono::seconds{2}};

  /// Calls that a shared connection has under way at once; more wait here. Default 2048. Range 1 to
  /// 1'000'000.
  std::size_t max_in_flight = 2048;

  /// Calls that may wait to be sent; one more is turned away with errc::shed. Default 16384. Range
  /// 0 to 10'000'000.
  std::size_t max_backlog = 16384;

  /// Bytes of what waits and of what is under way, on each shared connection; who would exceed it
  /// is turned away with errc::shed, unless nothing else is there. Default 64 MiB. Range 64 KiB to
  /// 64 GiB.
  std::size_t max_backlog_bytes = std::size_t{64} << 20;

  /// The largest command. Default 64 MiB. Range 1 KiB to 512 MiB; servers take no more by default.
  std::size_t max_request_bytes = std::size_t{64} << 20;

  /// The largest reply, in memory. A larger one is errc::too_large, and costs its connection, with
  /// everything on it. Default 64 MiB. Range 1 KiB to 16 GiB.
  std::size_t max_reply_bytes = std::size_t{64} << 20;

  /// A command of more bytes goes with the large values, on a connection apart. Default 64 KiB.
  /// Range 1 KiB to 512 MiB.
  std::size_t large_bytes = std::size_t{64} << 10;

  /// Connections for commands that wait in the server (BLPOP, XREAD BLOCK), each with one of them.
  /// One more such call is errc::shed. Default 32. Range 1 to 10'000.
  std::size_t max_blocking = 32;

  /// Connections that blocking callers drive on their own threads, which is faster than to hand
  /// over to an event loop and back while few threads call; further callers share the connection of
  /// the asynchronous ones, which is faster when many do. Default 2. Range 0 to 64.
  std::size_t direct_connections = 2;

  /// How often a call that may be repeated is sent at most. Default 3. Range 1 to 10.
  unsigned max_attempts = 3;

  /// Who logs in: an ACL user, and the password. With a password alone it is the user "default".
  /// Default neither: no login. The URL's own win.
  std::string username = {};
  std::string password = {};

  /// Of a `redis+sentinel://` URL, which needs it: as the sentinels call the master. Default none.
  /// 1 to 128 letters, digits, '.', '-' and '_'.
  std::string service = {};

  /// Who logs in at the sentinels, which have passwords and users of their own: those of the
  /// servers are never shown to them. Default neither: no login.
  std::string sentinel_username = {};
  std::string sentinel_password = {};

  /// Selected on each connection. Default 0. Range 0 to 1'000'000.
  std::uint32_t database = 0;

  /// As CLIENT LIST on the server shows the connections; printable ASCII without blanks. Default
  /// "scalekit". Empty: none.
  std::string client_name = "scalekit";

  /// Of a `rediss://` URL.
  tls_params tls = {};

  /// Where events go; with the field "server.address". Only settable here.
  ///
  /// | event                          | when | | ------------------------------ |
  /// ---------------------------------------------------------- | | redis.connected (info) | a
  /// shared connection was made; says how long it took        | | redis.dial_failed (warning)    |
  /// one could not be made; says why, and when the next try is  | | redis.lost (warning) | one
  /// broke; says why, and what was under way                | | redis.given_up (warning)       |
  /// one was given up because the server was silent             | | redis.master_doubted (warning)
  /// | by sentinels: the server is said to be the master no more  | | redis.failover (warning) | by
  /// sentinels: another master than before was found         | | redis.sentinel_lost (warning)  | a
  /// sentinel is not heard any more; says why                 | | redis.cluster.map (info)       |
  /// a cluster's slots have other masters than before           | | redis.cluster.map_failed |
  /// (warning) no node has told who has which slot; says why    |
  log_sink log = {};
};

}  // namespace scalekit::redis
