#pragma once

#include "cache/errors.hpp"
#include "cache/flight.hpp"
#include "scalekit/core/async.hpp"
#include "scalekit/core/deadline.hpp"
#include "scalekit/core/detail/post.hpp"
#include "scalekit/core/error.hpp"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string_view>
#include <utility>

namespace scalekit::cache::detail {

using scalekit::detail::pending;

/// What `make()` throws, or returns.
template <class T, class Make>
std::pair<std::exception_ptr, T> outcome_of(Make&& make) {
  std::pair<std::exception_ptr, T> made;
  try {
    made.second = std::forward<Make>(make)();
  } catch (...) {
    made.first = std::current_exception();
  }
  return made;
}

/// One asynchronous call that did not complete at once. Whatever comes first completes it: its
/// result, its deadline, its cancellation. It leaves the load that it waits for if it was not the
/// load that completed it.
template <class T>
class async_call : public std::enable_shared_from_this<async_call<T>> {
 public:
  /// What may complete it with finish_with() when time is up; it must not block.
  using last_resort = std::function<void(async_call&)>;

  /// Must be called in the initiating function. `gave_up` is called when the deadline or a
  /// cancellation won.
  static std::shared_ptr<async_call> start(completion_handler<T> handler, const execution& exec,
                                           const deadline& until, std::function<void()> gave_up,
                                           last_resort at_deadline = {}) {
    auto self = std::make_shared<async_call>(std::move(handler), exec, std::move(gave_up));
    self->timer_->expires_at(until.when());
    self->timer_->async_wait([weak = self->weak_from_this(), at_deadline = std::move(at_deadline)](
                                 boost::system::error_code stopped) {
      auto call = weak.lock();
      if (!call || stopped) return;
      if (at_deadline) at_deadline(*call);
      call->give_up(error(errc::acquire_timeout, "the cache call's timeout has passed"));
    });
    // The slot's handler may run on any thread, inside emit(): it only posts.
    self->on_stop_.emplace(self->op_->stop_token(),
                           [weak = self->weak_from_this(), to = exec.completion_executor()] {
                             scalekit::detail::post_from_outside(to, [weak] {
                               if (auto call = weak.lock()) {
                                 call->give_up(cancelled_error());
                               }
                             });
                           });
    return self;
  }

  async_call(completion_handler<T> handler, const execution& exec, std::function<void()> gave_up)
      : op_(pending<T>::start(std::move(handler), exec)),
        timer_(std::in_place, exec.completion_executor()),
        gave_up_(std::move(gave_up)) {}

  bool is_over() const noexcept { return over_; }
  bool has_given_up() const noexcept { return given_up_; }

  /// Calls `then(*this)` after `time` if it is not over by then.
  void remind(std::chrono::nanoseconds time, std::function<void(async_call&)> then) {
    std::lock_guard lock(mutex_);
    if (over_) return;
    reminder_.emplace(timer_->get_executor(), time);
    reminder_->async_wait(
        [weak = this->weak_from_this(), then = std::move(then)](boost::system::error_code stopped) {
          auto call = weak.lock();
          if (call && !stopped) then(*call);
        });
  }

  /// Completes with what `make()`, called here, returns or throws. False: it was over by then.
  template <class Make>
  bool complete_with(Make&& make) {
    if (over_) return false;
    auto made = outcome_of<T>(make);
    if (!claim()) return false;
    op_->complete(std::move(made.first), std::move(made.second));
    return true;
  }

  /// As complete_with(), but calls `make()` only once it is sure that nothing else completes it.
  template <class Make>
  bool finish_with(Make&& make) {
    if (!claim()) return false;
    auto made = outcome_of<T>(make);
    op_->complete(std::move(made.first), std::move(made.second));
    return true;
  }

  /// Says which load it is a member of. One that was completed in another way stays a member, and
  /// the load goes on; one that gave up leaves.
  void board(std::shared_ptr<flight> load) {
    std::unique_lock lock(mutex_);
    if (!given_up_) {
      load_ = std::move(load);
      return;
    }
    lock.unlock();
    load->leave();
  }

 private:
  bool claim() {
    std::lock_guard lock(mutex_);
    if (over_.exchange(true)) return false;
    stop_timers();
    return true;
  }

  /// They are the loop's, which may go as soon as the call is complete: whoever is the last to
  /// hold this must not find them here.
  void stop_timers() {
    timer_.reset();
    reminder_.reset();
  }

  void give_up(const error& why) {
    std::shared_ptr<flight> left;
    {
      std::lock_guard lock(mutex_);
      if (over_.exchange(true)) return;
      given_up_ = true;
      stop_timers();
      left = std::move(load_);
    }
    if (left) left->leave();
    if (gave_up_) gave_up_();
    op_->complete(std::make_exception_ptr(why), T{});
  }

  std::shared_ptr<pending<T>> op_;
  std::optional<boost::asio::steady_timer> timer_;
  std::optional<boost::asio::steady_timer> reminder_;
  std::function<void()> gave_up_;
  std::atomic<bool> over_{false};
  std::atomic<bool> given_up_{false};
  std::mutex mutex_;
  std::shared_ptr<flight> load_;
  std::optional<std::stop_callback<std::function<void()>>> on_stop_;
};

/// Completes a call that needs no waiting: posted, for it must not complete in its initiating
/// function.
template <class T>
void complete_at_once(completion_handler<T> handler, const execution& exec, std::exception_ptr e,
                      T value) {
  auto op = pending<T>::start(std::move(handler), exec);
  boost::asio::post(exec.completion_executor(),
                    [op, e = std::move(e), value = std::move(value)]() mutable {
                      op->complete(std::move(e), std::move(value));
                    });
}

}  // namespace scalekit::cache::detail
