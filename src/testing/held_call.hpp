#pragma once

#include "scalekit/core/clock.hpp"
#include "scalekit/core/error.hpp"
#include "testing/fault_book.hpp"

#include <exception>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace scalekit::testing::detail {

/// How long a call waits at most, by the database's clock and by the machine's.
struct patience {
  time_point until, until_really;
  std::vector<std::stop_token> stops;
  /// What it fails with when it is late, and what it is called in errors.
  errc late;
  std::string place;
};

/// Goes on with a call: not to be made where there is a failure, and to fail after it was made
/// where there is one for that.
using continuation = std::function<void(std::exception_ptr failure, std::exception_ptr afterwards)>;

struct held_call {
  meeting met;
  /// When its delay is over.
  time_point due;
  patience limits;
  continuation go_on;
};

enum class wait_end { not_yet, over, cancelled, late };

/// At `now` by the database's clock and `really` by the machine's.
wait_end end_of(const held_call& held, time_point now, time_point really) noexcept;

/// Goes on with a call whose wait has ended so, or that met a fault which has not made it wait.
void resume(const held_call& held, wait_end how);

}  // namespace scalekit::testing::detail
