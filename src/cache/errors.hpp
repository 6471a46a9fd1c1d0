#pragma once

#include "scalekit/core/error.hpp"

namespace scalekit::cache::detail {

inline error cancelled_error() {
  return {errc::cancelled, "cache call cancelled"};
}

inline error writers_error() {
  return {errc::acquire_timeout,
          "other writers of this part of the cache did not finish until the deadline"};
}

/// What calls to a closed store get.
inline error closed_error() {
  return {errc::closed, "the cache is closed"};
}

}  // namespace scalekit::cache::detail
