#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/execution.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/log.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
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

/// Keys that were set, changed, erased or evicted, or have expired.
struct invalidation {
  /// In place.
  std::span<const std::string_view> keys;
  /// All are gone: FLUSHALL, or FLUSHDB of any database.
  bool is_everything = false;
};

struct subscriber_params {
  /// Names, and patterns as PSUBSCRIBE takes them ("user.*"). At least one of these, or a prefix.
  std::vector<std::string> channels = {};
  std::vector<std::string> patterns = {};

  /// Keys that begin so are tracked, in all databases of the server: each change is heard soon
  /// after it, whoever makes it, but for SWAPDB; in which order they were made is not told. None
  /// may begin with another. By client tracking, which Redis has from 6.0 on (CLIENT TRACKING ...
  /// BCAST); an ACL user needs CLIENT, SUBSCRIBE, PING and the channel "__redis__:invalidate". The
  /// server remembers nothing for it, and sends each changed key to each who tracks it.
  std::vector<std::string> tracked_prefixes = {};

  /// Called for each message, in the order in which they came. Needed for channels and patterns.
  std::function<void(const message&)> on_message = {};

  /// Called for changes of tracked keys, several at once where they came so. Needed for
  /// tracked_prefixes.
  std::function<void(const invalidation&)> on_invalidated = {};

  /// Called each time that all subscriptions hold, at first and after every lost connection, and
  /// before any message that came since: whatever was published, or changed, in the gap has to be
  /// found out now. May be empty.
  std::function<void(const subscription_gap&)> on_gap = {};

  /// Between attempts to connect, with full jitter. After the server has refused a subscription it
  /// is a minute.
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

/// Hears what is published, and which keys change, on a connection of its own that it makes again,
/// with all its subscriptions, when it is lost.
///
/// It has a thread of its own, "sk-redis-sub", on which the callbacks run one at a time; they may
/// block, and use clients, but messages wait meanwhile, and a server that has too many waiting for
/// it ends the connection. What they throw is logged.
///
/// Thread safety: close() and is_listening() may be called from any thread, also in a callback.
class SCALEKIT_EXPORT subscriber {
 public:
  /// Starts it; connects on its own thread. `url` is a server's, or of sentinels, as for
  /// client::open(): those are asked for the master, again each time that a connection has ended,
  /// and one of them every five check_interval. Of the settings in its query those for connecting
  /// and logging in count. Names are resolved on the work pool of `exec`. Throws
  /// std::invalid_argument for what can never work.
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
