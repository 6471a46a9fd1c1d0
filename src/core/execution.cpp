#include "scalekit/core/execution.hpp"

#include "scalekit/core/error.hpp"

#include <mutex>
#include <string>

namespace scalekit {

namespace asio = boost::asio;

struct execution::state {
  asio::any_io_executor io;
  asio::any_io_executor work;
  std::shared_ptr<work_pool> pool;
};

execution::execution() : execution(asio::any_io_executor{}) {}

execution::execution(asio::any_io_executor io, work_pool_params pool)
    : execution(std::move(io), std::make_shared<work_pool>(std::move(pool))) {}

execution::execution(asio::any_io_executor io, std::shared_ptr<work_pool> pool)
    : state_(std::make_shared<state>()) {
  state_->io = std::move(io);
  state_->pool = std::move(pool);
}

execution::execution(asio::any_io_executor io, asio::any_io_executor work)
    : state_(std::make_shared<state>()) {
  state_->io = std::move(io);
  state_->work = std::move(work);
}

asio::any_io_executor execution::completion_executor() const {
  if (state_->io) return state_->io;
  return state_->pool ? state_->pool->executor() : state_->work;
}

asio::any_io_executor execution::io_executor() const {
  return state_->io;
}

work_pool* execution::own_pool() const {
  return state_->pool.get();
}

asio::any_io_executor execution::host_work() const {
  return state_->work;
}

namespace {
thread_local bool on_io_thread = false;
}

io_thread_mark::io_thread_mark() noexcept : outer_(on_io_thread) {
  on_io_thread = true;
}

io_thread_mark::~io_thread_mark() {
  on_io_thread = outer_;
}

void io_thread_mark::check_blocking_allowed(std::string_view operation) {
  if (!on_io_thread) return;
  throw error(errc::not_allowed, std::string(operation) +
                                     " would block an I/O thread; use its async_ form, or call "
                                     "it on another thread");
}

}  // namespace scalekit
