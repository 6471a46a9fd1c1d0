#pragma once

#include "queue/sql_engine.hpp"
#include "queue/sqlite_statements.hpp"

#include <chrono>
#include <string>

namespace scalekit::queue::detail {

class sqlite_engine final : public sql_engine {
 public:
  sqlite_engine(db::client client, std::string prefix, std::chrono::nanoseconds call_timeout);

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
  std::vector<job_id> insert(db::transaction& tx, std::span<const new_job> jobs);

  // In sqlite_turn.cpp: the parts of a turn, within its transaction.
  void settle(db::transaction& tx, const turn_request& request, std::vector<bool>& settled);
  void remove_held_under(db::transaction& tx, std::int64_t nonce, std::span<const settlement> all,
                         std::vector<bool>& settled);
  bool move_on(db::transaction& tx, const settlement& s);
  void promote(db::transaction& tx, wall_time now);

  // In sqlite_claim.cpp.
  struct queue_head;
  struct claim_room;
  void claim(db::transaction& tx, const turn_request& request, turn_result& result);
  /// Reads what is to be claimed; row by row when one of them cannot be read.
  queue_head read_head(db::transaction& tx, const std::string& queue, const turn_request& request,
                       claim_room& room);
  queue_head read_at_once(db::transaction& tx, const std::string& queue,
                          const turn_request& request, claim_room& room);
  queue_head read_one_by_one(db::transaction& tx, const std::string& queue,
                             const turn_request& request, claim_room& room);
  void claim_head(db::transaction& tx, const std::string& queue, const turn_request& request,
                  queue_head& head);

  sqlite_statements text_;
};

}  // namespace scalekit::queue::detail
