#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/redis/detail/call.hpp"

#include <cstddef>
#include <string>

// What a call is told that ends without an answer. Never an argument's value.

namespace scalekit::redis::detail {

/// A connection, as it was when a call on it gave up.
struct connection_state {
  bool is_connected = false;
  std::size_t in_flight = 0;
  std::size_t waiting = 0;
  /// Of both.
  std::size_t bytes = 0;
  /// time_point{} where nothing ever came.
  time_point last_heard{};
  /// Of the last attempt to connect; empty while there was none, or it succeeded.
  std::string dial_failure = {};
  errc dial_code = errc::unavailable;
};

/// What has become of a call.
struct call_fate {
  const std::string& command;
  const std::string& server;
  bool was_sent = false;
  /// Running it, or not, makes no difference: there is no doubt about it.
  bool is_harmless = false;
};

/// Its time was over.
error late_error(const call_fate& c, const connection_state& s, time_point sent_at, time_point now);
/// Its time was over, and its connection's event loop did not say so.
error held_up_error(const call_fate& c);
/// No connection within acquire_timeout, or for so long that it was not waited for.
error unreachable_error(const call_fate& c, const connection_state& s);
/// The connection broke, or was given up; `why` says how.
error lost_error(const call_fate& c, const std::string& why);
error too_large_reply(const call_fate& c, const std::string& why);
error cancelled_error(const call_fate& c);
error closed_error(const call_fate& c);
/// `what` is too much.
error shed_error(const call_fate& c, const std::string& what);

}  // namespace scalekit::redis::detail
