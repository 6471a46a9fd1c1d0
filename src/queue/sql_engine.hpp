#pragma once

#include "queue/engine.hpp"
#include "queue/sql_statements.hpp"
#include "scalekit/db/client.hpp"

#include <chrono>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

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

  std::optional<job_status> status(job_id id, std::stop_token stop) override;
  queue_stats stats(wall_time now, std::stop_token stop) override;
  std::vector<dead_letter> dead_letters(std::size_t limit, job_id after,
                                        std::stop_token stop) override;

 protected:
  sql_engine(db::client client, std::string prefix, std::chrono::nanoseconds call_timeout,
             const dialect_texts& own);

  /// Runs what is missing of these scripts, with the prefix in them.
  void migrate_by(std::span<const std::string_view> steps);

  // Replicas may not know yet what is asked about: leases, workers, ids that were just given.
  db::call_options call(std::stop_token stop = {}) const {
    return {.timeout = call_timeout_,
            .stop = std::move(stop),
            .consistency = db::consistency::primary()};
  }
  db::transaction_options writing(std::stop_token stop = {}) const {
    return {.timeout = call_timeout_, .stop = std::move(stop)};
  }
  db::transaction_options reading(std::stop_token stop = {}) const {
    return {.timeout = call_timeout_,
            .stop = std::move(stop),
            .consistency = db::consistency::primary(),
            .read_only = true};
  }

  /// Job, sequence, nonce; errors, crashes, interruptions, snoozes.
  using orphan_row = std::tuple<job_id, std::int64_t, std::int64_t, int, int, int, int>;
  static std::vector<orphan> orphans_of(const std::vector<orphan_row>& rows);

  db::client db_;
  const std::string prefix_;
  const std::chrono::nanoseconds call_timeout_;

 private:
  std::vector<dead_letter> read_letters(std::size_t limit, job_id after,
                                        const std::stop_token& stop);

  const sql_statements common_;
};

}  // namespace scalekit::queue::detail
