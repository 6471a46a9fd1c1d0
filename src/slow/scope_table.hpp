#pragma once

#include "scalekit/core/clock.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace scalekit::slow {

/// How often one statement was called from one place within one request, so far.
struct scope_count {
  std::uint32_t calls = 0;
  /// One bit for each class of bind hashes seen; 0 where none were given.
  std::uint64_t bind_bits = 0;
};

/// Counts calls by (request, statement, place), in 4096 counters.
///
/// A counter is given up when its set of four is full of more recent ones, or when it was idle
/// for longer than the window: a group is then counted anew, so that too little may be found but
/// never too much. Groups are told apart by a 64-bit hash.
///
/// Thread safety: every member may be called from any thread.
class scope_table {
 public:
  explicit scope_table(std::chrono::nanoseconds window)
      : window_(window), shards_(std::make_unique<std::array<shard, 64>>()) {}

  /// Counts one call of group `key` and returns where the group stands.
  scope_count count(std::uint64_t key, std::uint64_t bind_hash, time_point now) noexcept;

 private:
  struct group {
    std::uint64_t key = 0;
    time_point last{};
    scope_count so_far;
  };
  using set = std::array<group, 4>;
  struct shard {
    std::mutex mutex;
    std::array<set, 16> sets;
  };

  std::chrono::nanoseconds window_;
  std::unique_ptr<std::array<shard, 64>> shards_;
};

}  // namespace scalekit::slow
