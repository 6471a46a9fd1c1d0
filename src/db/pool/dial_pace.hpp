#pragma once

#include "scalekit/core/backoff.hpp"
#include "scalekit/core/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace scalekit::db::detail {

/// When the next connection may be dialed, and whether it is still worth waiting for one.
class dial_pace {
 public:
  dial_pace(std::chrono::nanoseconds retry_interval, std::size_t max_dials) noexcept;

  /// Somebody has reached the server.
  void succeeded() noexcept;

  /// `hopeless`: trying again will not help (a wrong password). `random` decides the jitter.
  void failed(std::string text, bool hopeless, time_point now, std::uint64_t random);

  /// How many may be dialed at the same time: one while they fail.
  std::size_t at_once() const noexcept { return failures_ == 0 ? max_dials_ : 1; }

  /// Not before this.
  time_point next() const noexcept { return next_; }

  /// Three failed in a row, or one was hopeless: who has nothing else to wait for is better told.
  bool is_unreachable() const noexcept { return hopeless_ || failures_ >= 3; }

  /// In a row. Those that fail before the next may begin count as one.
  std::uint64_t failures() const noexcept { return failures_; }

  /// Of the last failure since the last success; else empty.
  const std::string& last_error() const noexcept { return last_error_; }

 private:
  backoff_params backoff_;
  std::size_t max_dials_;
  std::uint64_t failures_ = 0;
  bool hopeless_ = false;
  time_point next_ = {};
  std::string last_error_;
};

}  // namespace scalekit::db::detail
