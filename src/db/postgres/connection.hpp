#pragma once

#include "db/postgres/cancel_sender.hpp"
#include "db/postgres/link.hpp"
#include "db/postgres/server_identity.hpp"
#include "db/postgres/wake_descriptor.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <memory>
#include <optional>

namespace scalekit::db::postgres {

class reactor_port;

/// A pooled connection: the link, and what is known of its session.
///
/// Thread safety: one thread at a time, but for `bell`.
struct connection {
  connection(connection_ptr conn, const std::string& origin, std::size_t statements);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  const fork_guard born;
  /// What one transaction leaves in the session is not there for the next: none is kept.
  const bool through_pooler;
  std::unique_ptr<link> wire;
  /// Wakes who waits for it in poll(2): a call's stop token, or the end of the client.
  wake_descriptor bell;
  /// Whether we have turned default_transaction_read_only on; nothing: not known. Where we have
  /// not, it is as the server gave it.
  std::optional<bool> read_only = false;
  /// What its server last said of in_hot_standby; nothing before that was noted.
  std::optional<bool> told_standby;
  /// Known once something was written in it.
  server_identity identity;
  /// When its user gave it back.
  time_point last_used{};
  /// Of a cancel that was asked for and may be on its way.
  cancel_ticket cancels;
  /// In the event loop that waits for the socket, once there was an asynchronous call on it.
  std::unique_ptr<reactor_port> port;

  /// An exchange for the next call, with the buffers of the one before where nobody reads that any
  /// more.
  const exchange_ptr& exchange_for(const statement_entry_ptr& entry);

 private:
  exchange_ptr spare_;
};

}  // namespace scalekit::db::postgres
