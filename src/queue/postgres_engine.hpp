#pragma once

#include "queue/doubtful_claims.hpp"
#include "queue/engine.hpp"
#include "queue/postgres_statements.hpp"
#include "scalekit/db/client.hpp"

#include <chrono>
#include <string>

namespace scalekit::queue::detail {

/// Several processes write at the same time: what one has locked, another skips or waits for.
class postgres_engine final : public engine {
 public:
  postgres_engine(db::client client, std::string prefix, std::chrono::nanoseconds call_timeout);

  void migrate() override;
  std::vector<job_id> enqueue(db::transaction* tx, std::span<const new_job> jobs) override;

  worker_identity enlist(std::int64_t nonce, std::chrono::microseconds stale_after,
                         wall_time now) override;
  bool beat(const worker_identity& who, wall_time now) override;
  void leave(const worker_identity& who) override;
  std::vector<worker_sighting> workers() override;
  bool evict(const worker_sighting& dead) override;
  std::vector<orphan> orphans(std::size_t most) override;

  turn_result turn(const turn_request& request) override;
  queue_glance glance(std::span<const std::string> queues,
                      std::span<const std::string> kinds) override;
  bool holds(const lease& l) override;
  bool complete_in(db::transaction& tx, const lease& l) override;

  std::optional<job_status> status(job_id id) override;
  queue_stats stats(wall_time now) override;
  std::vector<dead_letter> dead_letters(std::size_t limit, job_id after) override;
  bool redrive(job_id id, std::int64_t key) override;
  bool delete_dead_letter(job_id id) override;

 private:
  // Replicas may not know yet what is asked about: leases, workers, ids that were just given.
  db::call_options call() const {
    return {.timeout = call_timeout_, .consistency = db::consistency::primary()};
  }
  db::transaction_options writing() const { return {.timeout = call_timeout_}; }
  db::transaction_options reading() const {
    return {.timeout = call_timeout_, .consistency = db::consistency::primary(), .read_only = true};
  }

  std::vector<dead_letter> read_letters(std::size_t limit, job_id after);

  // In postgres_turn.cpp: the parts of a turn, within its transaction.
  void run_turn(db::transaction& tx, const turn_request& request, std::span<const lease> doubtful,
                turn_result& result);
  void settle(db::transaction& tx, std::span<const settlement> all, std::vector<bool>& settled);

  // In postgres_claim.cpp.
  struct claim_room;
  struct claim_reach;
  void claim(db::transaction& tx, const turn_request& request, turn_result& result);
  /// Claims what the first `reach.seen` jobs of a queue allow.
  std::vector<claimed_job> claim_within(db::transaction& tx, const std::string& queue,
                                        const turn_request& request, claim_room& room,
                                        claim_reach& reach);
  /// Fills in what no claim needs; those that cannot be read become dead letters.
  void read_jobs(db::transaction& tx, std::vector<claimed_job>& jobs, wall_time now,
                 turn_result& result);
  void bury_unread(db::transaction& tx, const unreadable_job& job, wall_time now);

  db::client db_;
  std::string prefix_;
  std::chrono::nanoseconds call_timeout_;
  postgres_statements text_;
  doubtful_claims doubtful_;
};

}  // namespace scalekit::queue::detail
