#include "scalekit/core/runtime.hpp"

#include "core/leave_to_parent.hpp"
#include "core/require.hpp"
#include "scalekit/core/fork_guard.hpp"

#include <boost/asio/executor_work_guard.hpp>

#include <atomic>
#include <pthread.h>
#include <thread>
#include <vector>

namespace scalekit {

namespace asio = boost::asio;

struct runtime::state {
  struct loop {
    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> keep{io.get_executor()};
    std::thread thread;

    void start() {
      thread = std::thread([this] {
        io_thread_mark mark;
        io.run();
      });
      pthread_setname_np(thread.native_handle(), "sk-io");
    }

    void stop_and_join() {
      io.stop();
      if (thread.joinable()) thread.join();
    }
  };

  explicit state(const runtime_params& params)
      : loops(params.threads), pool(std::make_shared<work_pool>(params.work)) {}

  fork_guard guard;
  std::vector<loop> loops;
  std::shared_ptr<work_pool> pool;
  std::atomic<std::size_t> turn{0};
};

runtime::runtime(runtime_params params) {
  detail::require_range("runtime_params.threads", params.threads, 1, 256);
  state_ = std::make_unique<state>(params);
  try {
    for (auto& loop : state_->loops) loop.start();
  } catch (...) {
    for (auto& loop : state_->loops) loop.stop_and_join();
    throw;
  }
}

runtime::~runtime() {
  if (state_->guard.is_forked()) {
    // Joining its threads would hang, and closing would disturb its loops.
    detail::leave_to_parent(state_);
    return;
  }
  for (auto& loop : state_->loops) loop.io.stop();
  for (auto& loop : state_->loops) loop.stop_and_join();
  // Whoever holds it besides: its tasks complete on the loops.
  state_->pool->close();
}

asio::io_context& runtime::next_loop() {
  auto turn = state_->turn.fetch_add(1, std::memory_order_relaxed);
  return state_->loops[turn % state_->loops.size()].io;
}

execution runtime::execution() {
  return {next_loop().get_executor(), state_->pool};
}

std::size_t runtime::threads() const noexcept {
  return state_->loops.size();
}

}  // namespace scalekit
