#pragma once

#include "scalekit/core/export.hpp"
#include "scalekit/db/causal_token.hpp"
#include "scalekit/db/session.hpp"

#include <chrono>
#include <string_view>

namespace scalekit::db {

/// How new what a read sees must be; that decides where it may run. SQLite, which has one state
/// only, satisfies them all.
class SCALEKIT_EXPORT consistency {
 public:
  enum class kind { own_writes, primary, bounded, after, any };

  /// As own_writes().
  consistency() = default;

  /// Sees the newest write that this client has done, or with call_options::session the session.
  /// The default: what was written is there when it is read.
  static consistency own_writes() noexcept { return {}; }

  /// As own_writes(), and sees the write that gave `token` too: for who knows of a write that is
  /// not this client's. An empty token adds nothing.
  static consistency own_writes_and(const causal_token& token) noexcept;

  /// Sees every write acknowledged to anybody before the read began. Runs on the primary.
  static consistency primary() noexcept { return consistency(kind::primary); }

  /// Sees everything acknowledged more than `lag` ago. How far a replica is behind is known as
  /// exactly as the monitor looks: bounds below topology_params::monitor_interval mostly mean
  /// the primary. Throws errc::invalid_argument for a negative lag.
  static consistency bounded(std::chrono::nanoseconds lag);

  /// Sees the write that gave `token`, and all before it. An empty token asks for nothing. Throws
  /// errc::invalid_argument for what is no token.
  static consistency after(std::string_view token) { return after(causal_token::parse(token)); }
  static consistency after(const causal_token& token) noexcept;
  /// What the session has written up to now.
  static consistency after(const db::session& writer) { return after(writer.newest()); }

  /// Any state that is not older than topology_params::max_replica_lag, as far as is known.
  static consistency any() noexcept { return consistency(kind::any); }

  kind what() const noexcept { return kind_; }
  std::chrono::nanoseconds lag() const noexcept { return lag_; }
  const causal_token& token() const noexcept { return token_; }

 private:
  explicit consistency(kind what) noexcept : kind_(what) {}

  kind kind_ = kind::own_writes;
  std::chrono::nanoseconds lag_{};
  causal_token token_;
};

}  // namespace scalekit::db
