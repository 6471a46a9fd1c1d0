#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace support {

/// How long tests wait for a real server before they give up: far more than it ever takes.
inline constexpr std::chrono::seconds long_patience{60};

/// Asks `is_true` again and again; false when it did not hold within `patience`.
template <class Predicate>
bool wait_until(Predicate&& is_true, std::chrono::milliseconds patience = long_patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto pause = std::chrono::milliseconds(1);
  while (!is_true()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(25));
  }
  return true;
}

}  // namespace support
