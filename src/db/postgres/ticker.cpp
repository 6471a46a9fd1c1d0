#include "db/postgres/ticker.hpp"

#include "core/leave_to_parent.hpp"

#include <pthread.h>
#include <utility>

namespace scalekit::db::postgres {

ticker::ticker(std::function<void()> due) : state_(std::make_shared<state>()) {
  state_->due = std::move(due);
}

ticker::~ticker() {
  if (!thread_.joinable()) return;
  if (guard_.is_forked()) {
    // Its mutex may be locked for ever here.
    scalekit::detail::leave_to_parent(thread_);
    scalekit::detail::leave_to_parent(state_);
    return;
  }
  {
    std::lock_guard lock(state_->mutex);
    state_->over = true;
  }
  state_->changed.notify_one();
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void ticker::plan(time_point when) {
  std::lock_guard lock(state_->mutex);
  if (when >= state_->planned || state_->over) return;
  state_->planned = when;
  if (!thread_.joinable()) {
    thread_ = std::thread([s = state_] { run(s); });
    pthread_setname_np(thread_.native_handle(), "sk-db-upkeep");
  }
  state_->changed.notify_one();
}

void ticker::run(const std::shared_ptr<state>& s) {
  std::unique_lock lock(s->mutex);
  while (!s->over) {
    if (s->planned == time_point::max()) {
      s->changed.wait(lock);
    } else if (std::chrono::steady_clock::now() < s->planned) {
      s->changed.wait_until(lock, time_point(s->planned));
    } else {
      s->planned = time_point::max();
      lock.unlock();
      s->due();
      lock.lock();
    }
  }
}

}  // namespace scalekit::db::postgres
