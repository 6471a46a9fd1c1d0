#pragma once

#include "cache/reader_lane.hpp"

#include <array>
#include <atomic>
#include <cstdint>

namespace scalekit::cache::detail {

/// A counter for what threads do all the time: each counts in a cache line of its own.
///
/// Thread safety: all members may be called from any thread.
class lane_counter {
 public:
  void add() noexcept {
    const auto lane = reader_lane::mine();
    reader_lane::add<std::uint64_t>(lanes_[lane].n, lane, 1, std::memory_order_relaxed);
  }

  std::uint64_t value() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& each : lanes_) sum += each.n.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  struct alignas(64) line {
    std::atomic<std::uint64_t> n{0};
  };

  std::array<line, reader_lane::count> lanes_;
};

}  // namespace scalekit::cache::detail
