#pragma once

#include "scalekit/core/export.hpp"

#include <atomic>
#include <cstdint>
#include <limits>

namespace scalekit {

/// Random numbers for jitter, sampling and trace ids. Never for secrets: they can be predicted.
///
/// splitmix64 (Steele, Lea, Flood: OOPSLA 2014): its state is a counter, so that threads can share
/// one generator with a single relaxed increment. A component owns its generator and takes the
/// seed from its settings in tests; there is no global one. A std::uniform_random_bit_generator.
///
/// Thread safety: every member may be called from any thread. The sequence as a whole depends on
/// the seed only; which thread gets which number does not.
class random_generator {
 public:
  using result_type = std::uint64_t;

  /// Seeded by random_seed().
  random_generator() : random_generator(random_seed()) {}

  /// The same seed gives the same numbers, on every machine.
  explicit random_generator(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t operator()() noexcept {
    constexpr std::uint64_t step = 0x9e3779b97f4a7c15;
    std::uint64_t z = state_.fetch_add(step, std::memory_order_relaxed) + step;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, 1), in steps of 2^-53.
  double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1p-53; }

  static constexpr std::uint64_t min() noexcept { return 0; }
  static constexpr std::uint64_t max() noexcept {
    return std::numeric_limits<std::uint64_t>::max();
  }

  /// A seed from the system's entropy, different at each call. Throws std::runtime_error where
  /// the system has none.
  SCALEKIT_EXPORT static std::uint64_t random_seed();

 private:
  std::atomic<std::uint64_t> state_;
};

}  // namespace scalekit
