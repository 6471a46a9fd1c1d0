#include "queue/worker_shell.hpp"

#include "core/require.hpp"
#include "queue/checks.hpp"
#include "scalekit/core/error.hpp"

#include <algorithm>
#include <pthread.h>
#include <stdexcept>
#include <utility>

namespace scalekit::queue::detail {
namespace {

/// Each is a part of the statement that claims.
constexpr std::size_t most_kinds = 256;
/// What handlers have left once they have been asked to stop.
constexpr std::chrono::seconds last_wait{1};
/// For recording how attempts ended, when the worker stops and the database is slow or away.
constexpr std::chrono::seconds drain_wait{5};

}  // namespace

worker_shell::worker_shell(std::shared_ptr<queue_state> queue, worker_params params)
    : queue_(std::move(queue)),
      params_((validate(params), std::move(params))),
      board_(std::make_shared<job_board>(params_, queue_->store, *queue_->params.clock)) {}

void worker_shell::add(std::string kind, handler run, kind_params params) {
  std::lock_guard lock(lifecycle_);
  if (stage_ != stage::fresh) {
    throw error(errc::not_allowed, "worker::on(\"" + kind + "\") after start()");
  }
  using scalekit::detail::require;
  require(is_name(kind), "the kind of a handler", kind,
          "1 to 128 bytes without control characters");
  require(!board_->kinds().contains(kind), "worker::on", kind, "each kind once");
  require(board_->kinds().size() < most_kinds, "worker::on", kind, "at most 256 kinds");
  if (params.retry) scalekit::validate(*params.retry, "kind_params.retry");
  if (params.attempt_timeout) {
    validate_timeout(*params.attempt_timeout, "kind_params.attempt_timeout");
  }
  kind_entry entry{.run = std::move(run),
                   .retry = params.retry.value_or(params_.retry),
                   .timeout = params.attempt_timeout.value_or(params_.attempt_timeout),
                   .counts = {.kind = kind}};
  board_->kinds().emplace(std::move(kind), std::move(entry));
}

void worker_shell::start() {
  fork_.check("queue::worker");
  std::lock_guard lock(lifecycle_);
  if (stage_ != stage::fresh) throw error(errc::not_allowed, "worker::start() called twice");
  const auto& wall = *queue_->params.clock;
  const auto& log = queue_->params.log;
  pump_.emplace(*board_, *queue_->store, params_, wall, log);
  heart_.emplace(*board_, *queue_->store, params_, wall, log, shortest_timeout());
  heart_->enlist();

  stage_ = stage::running;
  queue_->hub.add(board_);
  heart_thread_ = std::thread([this] { heart_->run(); });
  pthread_setname_np(heart_thread_.native_handle(), "sk-queue-heart");
  crew_.start(board_, params_.concurrency);
  pump_thread_ = std::thread([this] { pump_->run(); });
  pthread_setname_np(pump_thread_.native_handle(), "sk-queue-pump");
}

stop_report worker_shell::stop(std::chrono::milliseconds patience) {
  fork_.check("queue::worker");
  {
    std::lock_guard lock(stop_mutex_);
    stop_called_ = true;
    stop_cv_.notify_all();
  }
  std::lock_guard lock(lifecycle_);
  if (stage_ != stage::running) {
    stage_ = stage::stopped;
    return board_->report();
  }
  stage_ = stage::stopped;

  board_->close_intake();
  if (!board_->wait_for_handlers(patience)) {
    board_->interrupt_handlers();
    board_->wait_for_handlers(last_wait);
  }
  board_->abandon_handlers();
  crew_.dismiss(board_->report().abandoned > 0);

  board_->shut(std::chrono::steady_clock::now() + drain_wait);
  if (pump_thread_.joinable()) pump_thread_.join();
  heart_->stop();
  if (heart_thread_.joinable()) heart_thread_.join();
  heart_->leave();
  return board_->report();
}

void worker_shell::wait_for_stop(const std::stop_token& until) {
  const std::stop_callback wake(until, [this] {
    std::lock_guard lock(stop_mutex_);
    stop_cv_.notify_all();
  });
  std::unique_lock lock(stop_mutex_);
  stop_cv_.wait(lock, [&] { return stop_called_ || until.stop_requested(); });
}

std::chrono::nanoseconds worker_shell::shortest_timeout() const {
  std::chrono::nanoseconds shortest = params_.attempt_timeout;
  for (const auto& [name, kind] : board_->kinds()) shortest = std::min(shortest, kind.timeout);
  return shortest;
}

}  // namespace scalekit::queue::detail
