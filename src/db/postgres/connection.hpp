#pragma once

#include "db/postgres/cancel_sender.hpp"
#include "db/postgres/link.hpp"
#include "db/postgres/server_identity.hpp"
#include "db/postgres/wake_descriptor.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <chrono>
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
  const time_point made_at = std::chrono::steady_clock::now();
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
  /// Its user may have left something in its session: nobody else gets it.
  bool spent = false;
  /// A write found a standby at its other end, where nobody watches which server that is.
  bool outdated = false;
  /// Known once something was written in it.
  server_identity identity;
  /// When its user gave it back.
  time_point last_used{};
  /// Of a cancel that was asked for and may be on its way.
  cancel_ticket cancels;
  /// In the event loop that waits for the socket, once there was an asynchronous call on it.
  std::unique_ptr<reactor_port> port;

  /// As its server last said; nothing before PostgreSQL 14.
  std::optional<bool> is_standby() const noexcept;

  /// An exchange for the next call, with the buffers of the one before where nobody reads that any
  /// more.
  const exchange_ptr& exchange_for(const statement_entry_ptr& entry);

 private:
  exchange_ptr spare_;
};

}  // namespace scalekit::db::postgres
