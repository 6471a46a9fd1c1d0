#pragma once

#include "db/call_frame.hpp"
#include "db/postgres/exchange.hpp"
#include "db/postgres/fit.hpp"
#include "scalekit/core/clock.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>

namespace scalekit::db::postgres {

/// A read in a lane. Its exchange is the lane's until it is settled.
struct lane_member : exchange {
  virtual ~lane_member() = default;

  /// It has ended, with a result or with `failure`. Called once, on the lane's loop.
  virtual void settle(std::exception_ptr failure) noexcept = 0;

  virtual const std::source_location& site() const noexcept = 0;

  /// When its call began, and must end. Like site(), only until it is settled.
  virtual const detail::call_frame& frame() const noexcept = 0;

  void expect(const expectation& what) noexcept {
    expected_as_of = what.as_of;
    expects_primary = what.primary;
  }
  expectation expected() const noexcept { return {expected_as_of, expects_primary}; }

  bool was_sent() const noexcept { return first_sent_at != time_point{}; }

  // An expectation in two parts, which take less room.
  time_point expected_as_of = time_point::max();
  /// When it was sent, for its share of the server's time.
  time_point sent_at{};
  /// When it was sent for the first time; 0: it has only waited.
  time_point first_sent_at{};
  /// When its result was there.
  time_point answered{};
  /// The server's time for it, as far as it can be told apart.
  std::chrono::nanoseconds took{0};
  /// Of its parameters.
  std::size_t bytes = 0;
  /// Under a Sync of its own: it has failed in company.
  bool alone = false;
  std::uint8_t runs = 0;
  /// It had to be prepared anew: the schema has changed.
  bool healed = false;
  bool flying = false;
  bool settled = false;
  bool expects_primary = false;
  /// Why it was not sent.
  misfit unfit = misfit::none;
};

using lane_member_ptr = std::shared_ptr<lane_member>;

}  // namespace scalekit::db::postgres
