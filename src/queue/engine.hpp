#pragma once

#include "queue/job_record.hpp"
#include "scalekit/queue/dead_letter.hpp"
#include "scalekit/queue/job_status.hpp"
#include "scalekit/queue/queue_stats.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::db {
class client;
class transaction;
}  // namespace scalekit::db

namespace scalekit::queue::detail {

/// One transaction of a worker: records endings and claims more, all of it or nothing.
struct turn_request {
  std::span<const settlement> settle = {};

  /// Who claims, and how much at most; 0 claims nothing.
  worker_identity who = {};
  std::size_t claim = 0;
  /// Payload bytes of what is claimed, at most; a first job may be larger.
  std::size_t claim_bytes = std::size_t{16} << 20;
  /// Claimed from in this order.
  std::span<const std::string> queues = {};
  /// Only jobs of these kinds.
  std::span<const std::string> kinds = {};

  wall_time now{};
};

struct turn_result {
  /// For each settlement: false when the lease was no longer the job's, and nothing was changed.
  std::vector<bool> settled;
  std::vector<claimed_job> claimed;
  /// Met while claiming, and made dead letters.
  std::vector<unreadable_job> unreadable;
  /// The worker is not registered (any more): it was taken for dead. Nothing was claimed.
  bool evicted = false;
};

/// What a look at the tables shows.
struct queue_glance {
  bool has_ready = false;
  /// When the next waiting job becomes claimable.
  std::optional<wall_time> next_due;
};

/// Where jobs are stored: the seam behind which databases differ. Each promise is tested by
/// tests/conformance/queue_suite.hpp, for every engine.
///
/// Leases are compared in the statement that changes the job, never before it. Throws
/// scalekit::error. Thread safety: all members may be called from any thread.
class engine {
 public:
  virtual ~engine() = default;

  virtual void migrate() = 0;

  /// All or none, in the caller's transaction where one is given. Ids in the order of the jobs.
  /// `stop` is for a transaction of the engine's own: the caller's has one already.
  virtual std::vector<job_id> enqueue(db::transaction* tx, std::span<const new_job> jobs,
                                      std::stop_token stop = {}) = 0;

  // --- for workers ---

  virtual worker_identity enlist(std::int64_t nonce, std::chrono::microseconds stale_after,
                                 wall_time now) = 0;
  /// False: no longer registered.
  virtual bool beat(const worker_identity& who, wall_time now) = 0;
  /// Precondition: what it had claimed is settled; what is not will be orphaned.
  virtual void leave(const worker_identity& who) = 0;

  virtual std::vector<worker_sighting> workers() = 0;
  /// Strikes a worker off the register, unless its heartbeat has moved since it was sighted. False
  /// when it has, or when it is gone already.
  virtual bool evict(const worker_sighting& dead) = 0;
  /// Up to `most` jobs whose worker is not registered.
  virtual std::vector<orphan> orphans(std::size_t most) = 0;

  /// Moves due jobs of the waiting room along before it claims.
  virtual turn_result turn(const turn_request& request) = 0;
  virtual queue_glance glance(std::span<const std::string> queues,
                              std::span<const std::string> kinds) = 0;
  virtual bool holds(const lease& l) = 0;
  /// Removes the job within `tx`; false, and nothing done, when the lease is not held.
  virtual bool complete_in(db::transaction& tx, const lease& l) = 0;

  // --- for people ---

  virtual std::optional<job_status> status(job_id id, std::stop_token stop = {}) = 0;
  virtual queue_stats stats(wall_time now, std::stop_token stop = {}) = 0;
  virtual std::vector<dead_letter> dead_letters(std::size_t limit, job_id after,
                                                std::stop_token stop = {}) = 0;
  /// Makes it ready under `key`, its history forgotten.
  virtual bool redrive(job_id id, std::int64_t key, std::stop_token stop = {}) = 0;
  virtual bool delete_dead_letter(job_id id, std::stop_token stop = {}) = 0;
};

/// The engine for the client's database, in tables whose names begin with `prefix`.
std::unique_ptr<engine> make_engine(db::client client, std::string prefix,
                                    std::chrono::nanoseconds call_timeout);

// One for each database.
std::unique_ptr<engine> make_sqlite_engine(db::client client, std::string prefix,
                                           std::chrono::nanoseconds call_timeout);
std::unique_ptr<engine> make_postgres_engine(db::client client, std::string prefix,
                                             std::chrono::nanoseconds call_timeout);

}  // namespace scalekit::queue::detail
