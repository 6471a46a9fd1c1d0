#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

// The bucket boundaries of scalekit::histogram: logarithmic, and found with integers only.
//
// DDSketch (Masson, Rim, Lee: VLDB 2019) needs boundaries whose ratio is at most
// gamma = (1 + a) / (1 - a). Here an octave is cut into 40 buckets of equal ratio 2^(1/40), which
// is a = 0.87 %. The exponent of a value is its bit width; the cut inside the octave comes from a
// table over the next 6 bits: the narrowest bucket (1.7 % of its octave's start) is wider than
// 1/64, so that each of the 64 cells holds at most one boundary, and one comparison decides.

namespace scalekit::detail {

struct log_buckets {
  static constexpr unsigned per_octave = 40;
  /// Values from 2^first_octave to below 2^(last_octave + 1) have buckets of their own.
  static constexpr unsigned first_octave = 6;
  static constexpr unsigned last_octave = 41;
  static constexpr std::uint64_t least = std::uint64_t{1} << first_octave;
  static constexpr std::uint64_t past = std::uint64_t{1} << (last_octave + 1);
  /// Bucket 0 takes what is below the range, the last one what is above.
  static constexpr std::size_t count = (last_octave - first_octave + 1) * per_octave + 2;

  /// Boundary `i` of an octave as a 32-bit fraction: 2^32 * (2^(i / 40) - 1), rounded up.
  static constexpr std::uint64_t fraction(unsigned i) noexcept {
    constexpr double ln2 = 0.693147180559945309;
    const double x = ln2 * i / per_octave;
    double sum = 0;
    double term = 1;
    for (int n = 1; n < 24; ++n) sum += term *= x / n;
    return i == 0 ? 0 : static_cast<std::uint64_t>(sum * 4294967296.0) + 1;
  }

  struct cell {
    /// The next boundary, inside the cell or past its end.
    std::uint32_t boundary;
    /// The bucket below that boundary, counted from the octave's first.
    std::uint32_t below;
  };

  static constexpr std::array<cell, 64> make_cells() noexcept {
    std::array<cell, 64> cells{};
    unsigned next = 1;
    for (std::uint64_t c = 0; c < cells.size(); ++c) {
      if (next == per_octave) {  // behind the last boundary
        cells[c] = {0, per_octave - 2};
        continue;
      }
      const std::uint64_t boundary = fraction(next);
      cells[c] = {static_cast<std::uint32_t>(boundary), next - 1};
      if (boundary < ((c + 1) << 26)) ++next;
    }
    return cells;
  }

  static constexpr std::size_t index(std::uint64_t value) noexcept;

  /// The lowest value of a bucket; the next bucket's lowest is its end. For 1 to count - 1.
  static constexpr double lower_bound(std::size_t bucket) noexcept {
    const auto inner = static_cast<unsigned>(bucket - 1);
    const auto octave = first_octave + inner / per_octave;
    const double scale = static_cast<double>(std::uint64_t{1} << octave);
    return scale + scale * static_cast<double>(fraction(inner % per_octave)) / 4294967296.0;
  }
};

inline constexpr auto log_bucket_cells = log_buckets::make_cells();

constexpr std::size_t log_buckets::index(std::uint64_t value) noexcept {
  if (value < least) return 0;
  if (value >= past) return count - 1;
  const auto zeros = static_cast<unsigned>(std::countl_zero(value));
  const auto mantissa = static_cast<std::uint32_t>((value << zeros << 1) >> 32);
  const auto& cell = log_bucket_cells[mantissa >> 26];
  return (63 - zeros - first_octave) * std::size_t{per_octave} + cell.below +
         (mantissa >= cell.boundary ? 2u : 1u);
}

}  // namespace scalekit::detail
