#pragma once

#include "queue/doubtful_claims.hpp"
#include "queue/postgres_statements.hpp"
#include "queue/sql_engine.hpp"

#include <chrono>
#include <string>

namespace scalekit::queue::detail {

/// Several processes write at the same time: what one has locked, another skips or waits for.
class postgres_engine final : public sql_engine {
 public:
  postgres_engine(db::client client, std::string prefix, std::chrono::nanoseconds call_timeout);

  void migrate() override;
  std::vector<job_id> enqueue(db::transaction* tx, std::span<const new_job> jobs,
                              std::stop_token stop) override;
  std::vector<orphan> orphans(std::size_t most) override;
  turn_result turn(const turn_request& request) override;
  queue_glance glance(std::span<const std::string> queues,
                      std::span<const std::string> kinds) override;
  bool complete_in(db::transaction& tx, const lease& l) override;
  bool redrive(job_id id, std::int64_t key, std::stop_token stop) override;
  bool delete_dead_letter(job_id id, std::stop_token stop) override;

 private:
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

  postgres_statements text_;
  doubtful_claims doubtful_;
};

}  // namespace scalekit::queue::detail
