#pragma once

#include "queue/handler_crew.hpp"
#include "queue/heart.hpp"
#include "queue/job_board.hpp"
#include "queue/pump.hpp"
#include "queue/queue_state.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

namespace scalekit::queue::detail {

/// The threads of a worker, and their order of birth and death.
class worker_shell {
 public:
  worker_shell(std::shared_ptr<queue_state> queue, worker_params params);

  void add(std::string kind, handler run, kind_params params);
  void start();
  stop_report stop(std::chrono::milliseconds patience);
  /// Returns when stop() has been called, or `until` is stopped.
  void wait_for_stop(const std::stop_token& until);

  worker_stats stats() const {
    fork_.check("queue::worker");
    return board_->stats();
  }
  const worker_params& params() const noexcept { return params_; }
  bool is_forked() const noexcept { return fork_.is_forked(); }

 private:
  enum class stage { fresh, running, stopped };

  std::chrono::nanoseconds shortest_timeout() const;

  const std::shared_ptr<queue_state> queue_;
  const worker_params params_;
  const std::shared_ptr<job_board> board_;
  fork_guard fork_;

  handler_crew crew_;
  std::optional<pump> pump_;
  std::optional<heart> heart_;
  std::thread pump_thread_;
  std::thread heart_thread_;

  /// Held by start() and stop() from beginning to end.
  std::mutex lifecycle_;
  stage stage_ = stage::fresh;

  std::mutex stop_mutex_;
  std::condition_variable stop_cv_;
  bool stop_called_ = false;
};

}  // namespace scalekit::queue::detail
