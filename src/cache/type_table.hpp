#pragma once

#include "scalekit/core/counter.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// Small numbers for the names of types; entries keep the number. Number 0 is for names beyond the
/// table's size.
///
/// Thread safety: all members may be called from any thread.
class type_table {
 public:
  static constexpr std::size_t capacity = 64;

  struct row {
    std::string name;
    counter file_hits, file_negative, shared_hits, shared_negative;
    counter misses, loads, load_failures, stale, refreshes;
    /// Misses whose load gave no value in time, and which got what was kept.
    counter answered_misses;
  };

  type_table() { rows_[0].name = "other"; }

  std::uint8_t number(std::string_view name) {
    const auto known = size();
    for (std::size_t i = 1; i < known; ++i) {
      if (rows_[i].name == name) return static_cast<std::uint8_t>(i);
    }
    return add(name);
  }

  std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
  row& operator[](std::size_t number) noexcept { return rows_[number]; }

 private:
  std::uint8_t add(std::string_view name) {
    std::lock_guard lock(adding_);
    const auto known = size_.load(std::memory_order_relaxed);
    for (std::size_t i = 1; i < known; ++i) {
      if (rows_[i].name == name) return static_cast<std::uint8_t>(i);
    }
    if (known == capacity) return 0;
    rows_[known].name = name;
    size_.store(known + 1, std::memory_order_release);
    return static_cast<std::uint8_t>(known);
  }

  std::array<row, capacity> rows_;
  std::atomic<std::size_t> size_{1};
  std::mutex adding_;
};

}  // namespace scalekit::cache::detail
