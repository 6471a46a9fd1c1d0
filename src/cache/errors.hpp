#pragma once

#include "scalekit/core/error.hpp"

namespace scalekit::cache::detail {

inline error cancelled_error() {
  return {errc::cancelled, "cache call cancelled"};
}

/// What calls to a closed store get.
inline error closed_error() {
  return {errc::closed, "the cache is closed"};
}

}  // namespace scalekit::cache::detail
