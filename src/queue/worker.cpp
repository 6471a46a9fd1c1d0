#include "scalekit/queue/worker.hpp"

#include "queue/worker_shell.hpp"

#include <utility>

namespace scalekit::queue {

worker::worker(queue q, worker_params params)
    : shell_(std::make_shared<detail::worker_shell>(q.state_, std::move(params))) {}

worker::worker(worker&&) noexcept = default;

worker::~worker() {
  if (!shell_) return;
  // In a forked child the threads do not exist: neither joining nor destroying them is possible.
  if (shell_->is_forked()) {
    // Without memory for it the child ends here: better than a hang.
    // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new)
    new std::shared_ptr<detail::worker_shell>(std::move(shell_));
    return;
  }
  try {
    shell_->stop(shell_->params().stop_timeout);
  } catch (...) {
    // Joining a thread cannot fail for one that runs.
  }
}

void worker::start() {
  shell_->start();
}

void worker::run(std::stop_token until) {
  start();
  shell_->wait_for_stop(until);
  stop(shell_->params().stop_timeout);
}

stop_report worker::stop(std::chrono::milliseconds patience) {
  return shell_->stop(patience);
}

worker_stats worker::stats() const {
  return shell_->stats();
}

void worker::add(std::string kind, handler h, kind_params params) {
  shell_->add(std::move(kind), std::move(h), params);
}

}  // namespace scalekit::queue
