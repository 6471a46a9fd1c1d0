#pragma once

#include "db/postgres/sqlstate.hpp"
#include "db/topology/route.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/db/detail/backend.hpp"

#include <chrono>
#include <optional>

namespace scalekit::db::postgres {

/// Whether a call that failed may run once more: only where nothing can have happened, and no more
/// often than could help.
class second_chance {
 public:
  /// `has_choice`: there are other hosts.
  bool allows(const error& e, detail::access kind, bool has_choice) noexcept {
    // Of a write that may have been executed the code is another.
    if (e.code() == errc::connection_lost) return lost_++ == 0;
    // The replay of a standby was in its way, or a deadlock: the next snapshot is a newer one.
    if (is_retryable_transaction(e.diag().backend_code)) {
      return kind == detail::access::read && conflicts_++ == 0;
    }
    if (!has_choice) return false;
    // It went to a standby, which executes no write.
    if (e.code() == errc::read_only) return kind == detail::access::write && misrouted_++ == 0;
    // There was no connection to be had. Without an origin it is the word of all hosts together.
    return e.code() == errc::unavailable && !e.diag().origin.empty() && refused_++ < 3;
  }

  /// After a loss, a connection that was used just now may be as dead.
  bool lost_before() const noexcept { return lost_ > 0; }

  /// The host that it failed on: once more it rather runs on another.
  void failed_on(detail::host_id host) noexcept {
    failed_on_ = {host, std::chrono::steady_clock::now()};
  }
  const std::optional<detail::failed_read>& failed_on() const noexcept { return failed_on_; }

 private:
  std::optional<detail::failed_read> failed_on_;
  int lost_ = 0, conflicts_ = 0, misrouted_ = 0, refused_ = 0;
};

}  // namespace scalekit::db::postgres
