#pragma once

#include "cache/reader_lane.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace scalekit::cache::detail {

/// Tells writers when no reader can still see what they took out: read-copy-update, with readers
/// counted on two sides (as in Linux' SRCU). A reader enters on the side that is open, and is
/// counted in a cache line of its own. Once each side has been seen empty, in whichever order,
/// everyone who was inside when the waiting began has left; the sides change so that newcomers do
/// not keep one full.
///
/// Thread safety: all members may be called from any thread; a grace_period belongs to one.
class reader_gate {
 public:
  /// What a reader found inside stays valid until it leaves. Inside nothing may block, nor wait for
  /// a writer.
  class read_section {
   public:
    explicit read_section(reader_gate& gate) noexcept
        : lane_(reader_lane::mine()),
          inside_(gate.lanes_[lane_].inside[gate.open_.load(std::memory_order_relaxed)]) {
      reader_lane::add<std::uint32_t>(inside_, lane_, 1, std::memory_order_seq_cst);
    }
    ~read_section() {
      reader_lane::add<std::uint32_t>(inside_, lane_, ~std::uint32_t{0}, std::memory_order_release);
    }
    read_section(const read_section&) = delete;
    read_section& operator=(const read_section&) = delete;

    std::size_t lane() const noexcept { return lane_; }

   private:
    std::size_t lane_;
    std::atomic<std::uint32_t>& inside_;
  };

  /// The time until those have left who were inside at its start.
  class grace_period {
   public:
    void start() noexcept { left_ = {}; }

    /// Does not wait. True once is true until the next start().
    bool is_over(reader_gate& gate) noexcept {
      const auto open = gate.open_.load();
      const auto shut = 1 - open;
      left_[shut] = left_[shut] || gate.is_empty(shut);
      left_[open] = left_[open] || gate.is_empty(open);
      if (left_[shut] && !left_[open]) gate.open_.store(shut);
      return left_[0] && left_[1];
    }

   private:
    std::array<bool, 2> left_{};
  };

 private:
  struct alignas(64) lane_count {
    std::array<std::atomic<std::uint32_t>, 2> inside{};
  };

  bool is_empty(std::uint32_t side) const noexcept {
    for (const auto& each : lanes_) {
      if (each.inside[side].load() != 0) return false;
    }
    return true;
  }

  std::array<lane_count, reader_lane::count> lanes_;
  alignas(64) std::atomic<std::uint32_t> open_{0};
};

}  // namespace scalekit::cache::detail
