#pragma once

#include "scalekit/core/error.hpp"
#include "scalekit/core/value_list.hpp"
#include "scalekit/slow/tracker.hpp"

#include <cstdint>
#include <exception>

// What the drivers tell the tracker of a call.

namespace scalekit::db::detail {

/// Tells N+1 patterns (another value each time) from mere repetition.
std::uint64_t bind_hash(const value_list& values) noexcept;

slow::outcome outcome_of(const std::exception_ptr& failure) noexcept;

}  // namespace scalekit::db::detail
