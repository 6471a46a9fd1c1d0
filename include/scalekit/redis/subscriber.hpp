#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/log.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::redis {

/// What was published, in place.
struct message {
  std::string_view channel;
  std::string_view payload;
  /// The pattern by which it was heard; empty for a channel's own.
  std::string_view pattern;
};

/// Nothing was heard since a connection was lost. Redis keeps no message for who is not there.
struct subscription_gap {
  /// Listening has begun: there was no connection before.
  bool is_first = false;
  /// From when the last byte came on the old connection until the subscriptions held on the new
  /// one.
  std::chrono::nanoseconds duration{0};
  /// Why the old connection ended; empty for the first.
  std::string_view reason;
};

struct subscriber_params {
  /// Names, and patterns as PSUBSCRIBE takes them ("user.*"). At least one of both together.
  std::vector<std::string> channels = {};
  std::vector<std::string> patterns = {};

  /// Called for each message, in the order in which they came.
  std::function<void(const message&)> on_message = {};

  /// Called each time that all subscriptions hold, at first and after every lost connection, and
  /// before any message that came since: whatever was published in the gap has to be found out now.
  /// May be empty.
  std::function<void(const subscription_gap&)> on_gap = {};

  /// Between attempts to connect, with full jitter.
  backoff_params reconnect = {.base = std::chrono::milliseconds{50},
                              .cap = std::chrono::seconds{2}};

  /// For one attempt to connect, up to the subscriptions. Default 3 s. Range 1 ms to 10 min.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds{3};

  /// After so much silence the server is asked whether it is there, and has as long to answer: a
  /// half-open connection is found within twice this. Default 10 s. Range 100 ms to 1 h.
  std::chrono::nanoseconds check_interval = std::chrono::seconds{10};

  /// The largest message; a larger one costs the connection. Default 64 MiB. Range 1 KiB to 16 GiB.
  std::size_t max_message_bytes = std::size_t{64} << 20;

  /// Events: redis.subscriber.connected (info), redis.subscriber.lost (warning) with the field
  /// server.address; redis.subscriber.callback_threw (error).
  log_sink log = {};
};

/// Hears what is published, on a connection of its own that it makes again, with all its
/// subscriptions, when it is lost.
///
/// It has a thread of its own, "sk-redis-sub", on which the callbacks run one at a time; they may
/// block, and use clients, but messages wait meanwhile, and a server that has too many waiting for
/// it ends the connection. What they throw is logged.
///
/// Thread safety: close() and is_listening() may be called from any thread, also in a callback.
class SCALEKIT_EXPORT subscriber {
 public:
  /// Starts it; connects on its own thread. `url` is as for client::open(); of the settings in its
  /// query only username, password, database and client_name count; it is a server's, not of
  /// sentinels. Names are resolved on the work
  /// pool of `exec`. Throws std::invalid_argument for what can never work.
  subscriber(std::string_view url, subscriber_params params, scalekit::execution exec = {});
  /// As close().
  ~subscriber();
  subscriber(const subscriber&) = delete;
  subscriber& operator=(const subscriber&) = delete;

  /// Returns once no callback runs any more, nor ever will; in a callback of its own it is the
  /// last.
  void close() noexcept;

  /// All subscriptions hold.
  bool is_listening() const noexcept;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace scalekit::redis
