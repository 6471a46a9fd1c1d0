#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/core/log.hpp"
#include "scalekit/db/credentials.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db {

/// What `notify channel, 'payload'` said, in place.
struct notification {
  std::string_view channel;
  std::string_view payload;
  /// Of the server process that sent it.
  int sender = 0;
};

struct listener_params {
  /// At least one. Used as they stand, quoted: "jobs" is heard after `notify jobs`.
  std::vector<std::string> channels;

  /// Called for each notification, in the order in which their transactions were committed.
  std::function<void(const notification&)> on_notification;

  /// Called after each time that listening has begun, the first and after every lost connection,
  /// and before any notification that came since. Notifications are not kept for who does not
  /// listen: whatever they would have said has to be read now. May be empty.
  std::function<void()> on_resync = {};

  /// Between attempts to connect, with full jitter.
  backoff_params reconnect = {.base = std::chrono::milliseconds(100),
                              .cap = std::chrono::seconds(10)};

  /// After so much silence the server is asked whether it is there, and has as long to answer: a
  /// half-open connection is found within twice this. Default 30 s. Range 100 ms to 1 h.
  std::chrono::nanoseconds check_interval = std::chrono::seconds(30);

  /// Called after each such check that was answered, and after the notifications that came before
  /// the answer. May be empty.
  std::function<void()> on_check = {};

  /// As client_params::credentials, for each connection of the listener.
  credentials_source credentials = {};

  /// Events: db.listener.connected and db.listener.lost, with the fields server.address and
  /// server.port; db.listener.callback_threw.
  log_sink log = {};
};

/// Hears what is said with NOTIFY on a PostgreSQL server, on a connection of its own that it makes
/// again when it is lost.
///
/// It has a thread of its own, "sk-db-listen", on which the callbacks run one at a time; they may
/// block, and use clients, but notifications wait meanwhile. What they throw is logged.
///
/// Of several hosts in the URL one is used that takes LISTEN, which a standby does not; a
/// connection to a primary that was demoted is found out when it breaks.
///
/// A pooler before the server, which passes on no notifications in transaction mode, is found out
/// and not used ("db.listener.lost" says so), unless `url` says transaction_pooler=false.
///
/// Thread safety: close() and is_listening() may be called from any thread, also in a callback.
class SCALEKIT_EXPORT listener {
 public:
  /// Starts it; connects on its own thread. `url` is as for client::open. Throws
  /// std::invalid_argument for a URL or setting that can never work, errc::not_supported for one
  /// that is not PostgreSQL's.
  listener(std::string_view url, listener_params params);
  /// As close().
  ~listener();
  listener(const listener&) = delete;
  listener& operator=(const listener&) = delete;

  /// Returns once no callback runs any more, nor ever will; in a callback of its own it is the
  /// last.
  void close() noexcept;

  bool is_listening() const noexcept;

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace scalekit::db
