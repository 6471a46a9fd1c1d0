#pragma once

#include "queue/engine.hpp"
#include "queue/sql_statements.hpp"
#include "scalekit/db/client.hpp"

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <tuple>

namespace scalekit::queue::detail {

/// What engines on SQL databases have in common: the register of workers, and what people are told.
class sql_engine : public engine {
 public:
  worker_identity enlist(std::int64_t nonce, std::chrono::microseconds stale_after,
                         wall_time now) override;
  bool beat(const worker_identity& who, wall_time now) override;
  void leave(const worker_identity& who) override;
  std::vector<worker_sighting> workers() override;
  bool evict(const worker_sighting& dead) override;
  bool holds(const lease& l) override;

  std::optional<job_status> status(job_id id) override;
  queue_stats stats(wall_time now) override;
  std::vector<dead_letter> dead_letters(std::size_t limit, job_id after) override;

 protected:
  sql_engine(db::client client, std::string prefix, std::chrono::nanoseconds call_timeout,
             const dialect_texts& own);

  /// Runs what is missing of these scripts, with the prefix in them.
  void migrate_by(std::span<const std::string_view> steps);

  // Replicas may not know yet what is asked about: leases, workers, ids that were just given.
  db::call_options call() const {
    return {.timeout = call_timeout_, .consistency = db::consistency::primary()};
  }
  db::transaction_options writing() const { return {.timeout = call_timeout_}; }
  db::transaction_options reading() const {
    return {.timeout = call_timeout_, .consistency = db::consistency::primary(), .read_only = true};
  }

  /// Job, sequence, nonce; errors, crashes, interruptions, snoozes.
  using orphan_row = std::tuple<job_id, std::int64_t, std::int64_t, int, int, int, int>;
  static std::vector<orphan> orphans_of(const std::vector<orphan_row>& rows);

  db::client db_;
  const std::string prefix_;
  const std::chrono::nanoseconds call_timeout_;

 private:
  std::vector<dead_letter> read_letters(std::size_t limit, job_id after);

  const sql_statements common_;
};

}  // namespace scalekit::queue::detail
