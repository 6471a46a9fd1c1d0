#pragma once

#include "scalekit/core/clock.hpp"
#include "testing/fault_book.hpp"
#include "testing/held_call.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <source_location>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace scalekit::testing::detail {

/// What every call passes on its way to the driver. Calls that a fault makes wait are looked after
/// by one thread, from the first of them until shut().
class gate {
 public:
  explicit gate(const clock& time) noexcept : clock_(time) {}
  ~gate() { shut(); }

  /// Removes all faults, and waits until what they held has gone on. Not on the gate's thread.
  void shut();

  std::shared_ptr<injected> inject(fault what, const std::source_location& site);
  std::size_t met(const injected& f) const;
  bool wait_until_met(const injected& f, std::size_t calls, std::chrono::nanoseconds timeout) const;
  void release(injected& f);
  void remove(injected& f);
  void remove_all();
  std::vector<std::string> left() const;
  std::vector<logged_call> log() const;
  void clear_log();

  /// From now on.
  patience patience_of(std::chrono::nanoseconds timeout, std::vector<std::stop_token> stops,
                       errc late, std::string place) const;

  /// Calls `then` when the call may go on: in here, or on the gate's thread.
  void async_pass(std::vector<logged_call> asked, patience limits, continuation then);

  /// Waits until it may. Throws why it is not to be made; returns what it is to fail with after it
  /// was made, null for nothing.
  std::exception_ptr pass(std::vector<logged_call> asked, patience limits);

 private:
  void hold(held_call held);
  void keep_watch();
  std::vector<std::pair<held_call, wait_end>> take_ended();

  const clock& clock_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  fault_book book_;
  std::vector<held_call> held_;
  bool is_shut_ = false;
  std::thread watch_;
};

}  // namespace scalekit::testing::detail
