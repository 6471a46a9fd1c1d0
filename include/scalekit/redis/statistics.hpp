#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace scalekit::redis {

/// Connections that are shared, of one kind, at one moment.
struct lane_statistics {
  /// Connections that are open.
  std::size_t connected = 0;
  /// Calls that were sent and not answered, those that nobody waits for any more among them.
  std::size_t in_flight = 0;
  /// Calls that were not sent yet.
  std::size_t waiting = 0;
  /// Bytes of both.
  std::size_t bytes = 0;
};

/// A snapshot of a client. Counts are totals since open.
struct client_statistics {
  /// The server, for people: "10.0.0.9:6379". By sentinels: the service, and who they are.
  std::string server = {};
  /// By sentinels: the master that was found last; else, and before, empty.
  std::string master = {};
  /// How often that was another one than before.
  std::uint64_t failovers = 0;

  lane_statistics shared = {};
  /// Of large values.
  lane_statistics large = {};
  /// Of commands that wait in the server, one on each connection.
  lane_statistics blocking = {};
  /// Connections that blocking callers drive themselves: open, and those in use.
  std::size_t direct = 0;
  std::size_t direct_busy = 0;

  /// Of a cluster: nodes that are known. Where it is not 0, `server` names those of the URL, and
  /// the connections are those of all.
  std::size_t nodes = 0;
  /// Calls that a node sent on to another that has the slot (MOVED), or gets it (ASK).
  std::uint64_t moved = 0;
  std::uint64_t asked = 0;
  /// How often the slot map was asked for.
  std::uint64_t refreshes = 0;

  /// In a cluster each part of one that is split over slots as well.
  std::uint64_t calls = 0;
  /// Of those, how many a blocking caller made on a connection of its own.
  std::uint64_t direct_calls = 0;
  /// Calls that ended with an error, whatever it was.
  std::uint64_t failed = 0;
  /// Of those: refused by the server.
  std::uint64_t refused = 0;
  /// Turned away because too much was waiting.
  std::uint64_t shed = 0;
  /// Their time was over.
  std::uint64_t timeouts = 0;
  std::uint64_t cancelled = 0;
  /// What was sent and whose answer was never heard.
  std::uint64_t in_doubt = 0;

  /// Sent once more after a connection was lost.
  std::uint64_t repeated = 0;
  /// Scripts whose text had to be sent.
  std::uint64_t scripts_sent = 0;

  std::uint64_t dials = 0;
  std::uint64_t dial_failures = 0;
  /// Connections that broke, or were given up, while something was under way on them.
  std::uint64_t connections_lost = 0;
  /// Of those: given up because the server was silent.
  std::uint64_t given_up = 0;

  /// Groups of calls that went out together on shared connections.
  std::uint64_t writes = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
};

}  // namespace scalekit::redis
