#include "scalekit/core/work_pool.hpp"

#include "core/leave_to_parent.hpp"
#include "core/require.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <utility>
#include <vector>

namespace scalekit {

namespace asio = boost::asio;

using task_type = asio::any_completion_handler<void()>;

/// Tasks wait in a queue of their own. In the loop's there is at most one runner a thread, which
/// runs one task and goes to the loop's end again: so what is posted to the loop itself, news of
/// completions, deadlines and refusals, overtakes the tasks that wait.
struct work_pool::state : std::enable_shared_from_this<state> {
  explicit state(std::size_t concurrency)
      : io(static_cast<int>(concurrency)), keep(asio::make_work_guard(io)) {}

  void post_runner() {
    asio::post(io, [self = shared_from_this()] { self->run_one(); });
  }

  void run_one() {
    if (auto task = take()) {
      task();
      if (goes_on()) post_runner();
    }
  }

  /// Nothing, and one runner less, when another runner was quicker.
  task_type take() {
    std::lock_guard lock(mutex);
    if (waiting.empty()) {
      --runners;
      return {};
    }
    auto task = std::move(waiting.front());
    waiting.pop_front();
    count.store(waiting.size(), std::memory_order_relaxed);
    return task;
  }

  bool goes_on() {
    std::lock_guard lock(mutex);
    if (!waiting.empty()) return true;
    --runners;
    return false;
  }

  /// With the lock held. Where a thread cannot be started, the next call goes on from there.
  void start(const work_pool_params& params) {
    if (started || closing) return;
    while (threads.size() < params.threads) {
      threads.emplace_back([shared = shared_from_this()] { shared->io.run(); });
      pthread_setname_np(threads.back().native_handle(), params.name.c_str());
    }
    started = true;
  }

  /// Takes no task from now on. The threads, which end once the queue is empty; once.
  std::vector<std::thread> end() {
    std::lock_guard lock(mutex);
    closing = true;
    keep.reset();
    return std::exchange(threads, {});
  }

  bool on_own_thread() {
    std::lock_guard lock(mutex);
    return std::any_of(threads.begin(), threads.end(), [](const std::thread& thread) {
      return thread.get_id() == std::this_thread::get_id();
    });
  }

  fork_guard guard;
  asio::io_context io;
  asio::executor_work_guard<asio::io_context::executor_type> keep;

  std::mutex mutex;
  bool closing = false;
  std::vector<std::thread> threads;
  std::atomic<bool> started{false};
  std::deque<task_type> waiting;
  // Of those waiting; read without the lock, which a forked child could wait for for ever.
  std::atomic<std::size_t> count{0};
  std::size_t runners = 0;
};

work_pool::work_pool(work_pool_params params) : params_(std::move(params)) {
  detail::require_range("work_pool_params.threads", params_.threads, 1, 1024);
  detail::require_range("work_pool_params.max_queued", params_.max_queued, 1, 1'000'000);
  detail::require(params_.name.size() <= 15, "work_pool_params.name", params_.name,
                  "at most 15 bytes");
  state_ = std::make_shared<state>(params_.threads);
}

work_pool::~work_pool() {
  if (state_->guard.is_forked()) {
    detail::leave_to_parent(state_);
    return;
  }
  // The last handle may die in a handler that runs here. Joining would then wait for itself: the
  // threads are let go, and end once the queue is empty; they share what they use.
  const bool on_own_thread = state_->on_own_thread();
  for (auto& thread : state_->end()) on_own_thread ? thread.detach() : thread.join();
}

void work_pool::close() {
  state_->guard.check("work pool " + params_.name);
  if (state_->on_own_thread()) {
    throw error(errc::not_allowed, "work pool " + params_.name + " is closed on its own thread");
  }
  for (auto& thread : state_->end()) thread.join();
}

asio::any_io_executor work_pool::executor() {
  if (!state_->started) {
    std::lock_guard lock(state_->mutex);
    state_->start(params_);
  }
  return state_->io.get_executor();
}

std::size_t work_pool::queued() const noexcept {
  return state_->count.load(std::memory_order_relaxed);
}

void work_pool::enqueue(task_type task) {
  // The task may drop the last handle to the pool before this has returned.
  const auto shared = state_;
  if (shared->guard.is_forked()) shared->guard.check("work pool " + params_.name);
  std::lock_guard lock(shared->mutex);
  if (shared->closing) throw error(errc::closed, "work pool " + params_.name + " is closing");
  shared->start(params_);
  if (shared->waiting.size() >= params_.max_queued) {
    throw error(errc::shed, "work pool " + params_.name +
                                " is full: " + std::to_string(params_.max_queued) +
                                " tasks wait for " + std::to_string(params_.threads) + " threads");
  }
  shared->waiting.push_back(std::move(task));
  if (shared->runners < params_.threads) {
    try {
      shared->post_runner();
    } catch (...) {
      shared->waiting.pop_back();
      throw;
    }
    ++shared->runners;
  }
  shared->count.store(shared->waiting.size(), std::memory_order_relaxed);
}

}  // namespace scalekit
