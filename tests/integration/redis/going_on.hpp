#pragma once

#include "support/wait_until.hpp"

#include <cstddef>
#include <vector>

namespace redis_tests {

/// Waits until each of them has had five more answers. Their `acknowledged` counts up.
template <class Counting>
bool all_went_on(const std::vector<Counting>& counters) {
  std::vector<int> at;
  for (const auto& n : counters) at.push_back(n.acknowledged);
  return support::wait_until([&] {
    for (std::size_t i = 0; i < counters.size(); ++i) {
      if (counters[i].acknowledged < at[i] + 5) return false;
    }
    return true;
  });
}

}  // namespace redis_tests
