#pragma once

#include "db/postgres/pq.hpp"
#include "db/postgres/settings.hpp"
#include "scalekit/core/clock.hpp"

#include <stop_token>
#include <string>

namespace scalekit::db::postgres {

/// What came of trying to connect.
struct dialed {
  connection_ptr connection;
  /// Where there is none: why, without secrets.
  std::string failure;
  /// The SQLSTATE of a server that refused; empty: none has answered.
  std::string state;
  /// Trying again will not help: the server knows us and refuses, or the settings are wrong.
  bool hopeless = false;
  /// Stopped by its caller.
  bool given_up = false;
  /// No server was asked: what is needed for that could not be had.
  bool unasked = false;
};

/// Connects, on the calling thread: asks for credentials, which cannot be stopped, then waits for
/// the resolver and the server until `until` at most, or as long as the server's connect_timeout,
/// or until `stop` is requested. Of several addresses of a name each that does not answer has an
/// equal share of what is left of the time.
dialed dial(const server_address& server, time_point until, const std::stop_token& stop);

}  // namespace scalekit::db::postgres
