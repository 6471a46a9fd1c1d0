#pragma once

#include "queue/engine.hpp"
#include "queue/job_board.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/log.hpp"
#include "scalekit/queue/worker_params.hpp"

#include <memory>
#include <vector>

namespace scalekit::queue::detail {

/// Carries out the board's orders on the database: the body of one thread.
class pump {
 public:
  pump(job_board& board, engine& store, const worker_params& params, const clock& wall,
       const log_sink& log);

  /// Returns when the board says quit.
  void run();

 private:
  void look();
  void take_turn(pump_order order);
  turn_result turn(const std::vector<ended>& endings, const pump_order* claim);
  void take_over(const pump_order& order, turn_result result);
  void settle_apart(std::vector<ended> endings);
  void take_turn_without_room(pump_order order, const error& e);
  void record(const std::vector<ended>& endings, const std::vector<bool>& settled);
  void failed(std::vector<ended> endings, const error& e);
  void succeeded();

  job_board& board_;
  engine& store_;
  const worker_params& params_;
  const clock& wall_;
  const log_sink& log_;
  std::vector<std::string> kinds_;
  /// Claims so far: chooses the queue that comes first.
  std::size_t turns_ = 0;
  /// Most jobs that are claimed at once: fewer than the settings say while the disk is full.
  std::size_t most_claimed_;
  /// Failures of the database in a row.
  std::uint64_t failures_ = 0;
};

}  // namespace scalekit::queue::detail
