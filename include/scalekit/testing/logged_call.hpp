#pragma once

#include "scalekit/core/error.hpp"
#include "scalekit/testing/fault.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace scalekit::testing {

/// One call that a database was asked for. Never has the values that were bound.
struct logged_call {
  call_kind kind = call_kind::read;
  /// As it was written; of begins and commits empty.
  std::string text = {};
  /// How many parameters were bound.
  std::size_t binds = 0;
  bool in_transaction = false;
  /// What the fault that it met has in store for it: nothing where it met none, or one that only
  /// delays.
  std::optional<errc> fault_error = {};
};

}  // namespace scalekit::testing
