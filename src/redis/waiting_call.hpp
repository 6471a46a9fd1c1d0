#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/redis/detail/call.hpp"

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>

namespace scalekit::redis::detail {

/// A call in a lane for whose end a thread waits.
class waiting_call final : public call {
 public:
  using call::call;

  void finish(std::exception_ptr failure, reply&& answer) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      if (is_over_) return;
      is_over_ = true;
      failure_ = std::move(failure);
      answer_ = std::move(answer);
    }
    over_.notify_one();
  }

  /// Whether it has ended.
  bool wait_until(time_point when) {
    std::unique_lock lock(mutex_);
    return over_.wait_until(lock, when, [this] { return is_over_; });
  }

  /// Precondition: it has ended. Throws its failure.
  reply take() {
    if (failure_) std::rethrow_exception(failure_);
    return std::move(answer_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::exception_ptr failure_;
  reply answer_;
};

}  // namespace scalekit::redis::detail
