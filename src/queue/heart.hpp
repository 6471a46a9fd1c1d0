#pragma once

#include "queue/engine.hpp"
#include "queue/job_board.hpp"
#include "queue/liveness_watch.hpp"
#include "queue/pulse.hpp"
#include "scalekit/core/clock.hpp"
#include "scalekit/core/log.hpp"
#include "scalekit/queue/worker_params.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace scalekit::queue::detail {

/// Says that the worker is alive, watches the others, rescues what the dead have left behind, and
/// supervises the handlers' deadlines: the body of one thread, which no handler can delay.
class heart {
 public:
  /// `shortest_timeout`: of all kinds.
  heart(job_board& board, engine& store, const worker_params& params, const clock& wall,
        const log_sink& log, std::chrono::nanoseconds shortest_timeout) noexcept;

  /// Puts the worker on the register. Throws the database's error.
  void enlist();
  /// Returns soon after stop().
  void run();
  void stop();
  /// Takes the worker off the register.
  void leave() noexcept;

 private:
  void beat(time_point now);
  void watch(time_point now);
  void rescue_orphans();

  job_board& board_;
  engine& store_;
  const worker_params& params_;
  const clock& wall_;
  const log_sink& log_;
  std::chrono::nanoseconds tick_;
  std::chrono::nanoseconds watch_period_;
  pulse pulse_;
  liveness_watch watch_;
  time_point next_watch_{};
  /// Not before this, after a failure.
  time_point enlist_at_{};

  std::mutex mutex_;
  std::condition_variable cv_;
  bool stopping_ = false;
};

}  // namespace scalekit::queue::detail
