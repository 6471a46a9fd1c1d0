#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/export.hpp"
#include "scalekit/queue/job_id.hpp"
#include "scalekit/queue/lease.hpp"

#include <memory>
#include <stop_token>
#include <string_view>

namespace scalekit::db {
class transaction;
}

namespace scalekit::queue {

namespace detail {
struct running_attempt;
}

/// One run of a job, as its handler sees it.
///
/// Delivery is at least once: a handler may run again although an earlier attempt got far, or is
/// even still running on a machine that was taken for dead. Effects in the job's own database
/// become exactly-once through complete_in(); effects elsewhere through job id or lease.
///
/// Object lifetimes: valid until the handler returns.
/// Thread safety: all members may be called from any thread while the handler runs.
class SCALEKIT_EXPORT attempt {
 public:
  explicit attempt(detail::running_attempt& state) noexcept : state_(&state) {}
  attempt(const attempt&) = delete;
  attempt& operator=(const attempt&) = delete;

  /// The same for all attempts of a job: the idempotency key.
  job_id id() const noexcept;
  std::string_view kind() const noexcept;
  /// The name of the queue that it was enqueued to.
  std::string_view queue() const noexcept;
  /// The bytes that were enqueued.
  std::string_view payload() const noexcept;

  /// 1 for the first attempt; one more for every attempt that ended in an error or a crash.
  /// Snoozes and interruptions do not count.
  int number() const noexcept;
  /// True when no retry follows an error.
  bool is_last() const noexcept;

  /// See scalekit::queue::lease.
  const scalekit::queue::lease& lease() const noexcept;

  /// When the attempt runs out of time; heartbeat() moves it.
  time_point deadline() const noexcept;

  /// Stop is requested when the deadline has passed, the lease is lost or doubtful, or the worker
  /// is stopping and its patience is over. What the handler throws after that counts as an
  /// interruption in the last case: the job runs again and no attempt is burnt.
  std::stop_token stop_token() const noexcept;

  /// Says that a long handler is getting on: starts its time anew.
  ///
  /// Reads the database: call it every few seconds, not in an inner loop. Throws errc::lease_lost
  /// when another attempt may have taken over; the handler should end then. Other errors are those
  /// of a database read, and leave the deadline as it was.
  void heartbeat();

  /// Finishes the job inside the handler's own transaction, on the queue's database: the job is
  /// done if and only if the transaction commits.
  ///
  ///     db.transaction([&](db::transaction& tx) {
  ///       tx.write(sql("update account set balance = balance - $1 where id = $2", sum, id));
  ///       a.complete_in(tx);
  ///     });
  ///
  /// Throws errc::lease_lost when the lease is no longer held; let it leave the transaction's body,
  /// so that the transaction is rolled back. The handler then returns; its outcome is ignored when
  /// the transaction has committed.
  void complete_in(db::transaction& tx);

 private:
  detail::running_attempt* state_;
};

}  // namespace scalekit::queue
