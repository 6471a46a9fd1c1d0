#pragma once

#include "scalekit/testing/manual_clock.hpp"

#include <list>

namespace support {

/// A clock for a store whose background loads may still run when its last handle is gone: it stays.
/// Thread safety: none.
inline scalekit::testing::manual_clock& lasting_clock() {
  static std::list<scalekit::testing::manual_clock> all;
  return all.emplace_back();
}

}  // namespace support
