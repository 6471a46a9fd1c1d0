#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace scalekit::cache::detail {

/// How often keys were asked for lately, also those that are not in the cache: a count-min sketch
/// (Cormode, Muthukrishnan 2005) of 4-bit counters, four a key, all in one cache line. After ten
/// requests an entry all counters are halved (Einziger, Friedman, Manes: TinyLFU, 2017), so that
/// what was popular once makes way.
///
/// Not thread-safe.
class frequency_sketch {
 public:
  static constexpr int most = 15;

  /// Of `most_bytes` in the end, or little less. Of few bytes an entry it overestimates many keys.
  explicit frequency_sketch(std::size_t most_bytes)
      : doublings_(std::max(0, static_cast<int>(std::bit_width(most_bytes / sizeof(line))) - 4)),
        lines_(std::max<std::size_t>(1, most_bytes / sizeof(line) >> doublings_)) {
    resize(0);
  }

  std::size_t bytes() const noexcept { return lines_.size() * sizeof(line); }
  /// What it takes after resize(entries).
  std::size_t bytes_for(std::size_t entries) const noexcept {
    return (lines_.size() << doublings_for(entries)) * sizeof(line);
  }

  /// For a cache of about `entries` entries from now on. It grows with them, and forgets nothing.
  void resize(std::size_t entries) {
    if (const auto doublings = doublings_for(entries); doublings > 0) {
      std::vector<line> larger(lines_.size() << doublings);
      // Keys are spread over the lines in the order of their hashes.
      for (std::size_t i = 0; i < larger.size(); ++i) larger[i] = lines_[i >> doublings];
      lines_.swap(larger);
      doublings_ -= doublings;
    }
    period_ = std::max<std::size_t>(entries, 16) * 10;
  }

  /// Never too small, but for what was halved away and counts above `most`.
  int estimate(std::uint32_t hash) const noexcept {
    const auto& words = lines_[line_of(hash, lines_.size())];
    const auto places = mixed(hash);
    int least = most;
    for (unsigned row = 0; row < rows; ++row) {
      const auto at = place_of(places, row);
      least = std::min(least, static_cast<int>(words[at.word] >> at.shift & most));
    }
    return least;
  }

  /// `times` is 1 to `most`.
  void add(std::uint32_t hash, int times = 1) noexcept {
    auto& words = lines_[line_of(hash, lines_.size())];
    const auto places = mixed(hash);
    int counted = 0;
    for (unsigned row = 0; row < rows; ++row) {
      const auto at = place_of(places, row);
      const auto more = std::min(times, most - static_cast<int>(words[at.word] >> at.shift & most));
      words[at.word] += static_cast<std::uint64_t>(more) << at.shift;
      counted = std::max(counted, more);
    }
    // What is at its most anyway must not make the others fade.
    added_ += static_cast<std::size_t>(counted);
    if (added_ >= period_) halve();
  }

  void prefetch(std::uint32_t hash) const noexcept {
    __builtin_prefetch(&lines_[line_of(hash, lines_.size())]);
  }

 private:
  static constexpr unsigned rows = 4;
  /// Bytes an entry at which hardly any key is overestimated.
  static constexpr std::size_t plenty = 16;

  struct alignas(64) line : std::array<std::uint64_t, 8> {};
  struct place {
    unsigned word, shift;
  };

  int doublings_for(std::size_t entries) const noexcept {
    int doublings = 0;
    while (doublings < doublings_ && bytes() << doublings < entries * plenty) ++doublings;
    return doublings;
  }
  static std::size_t line_of(std::uint32_t hash, std::size_t lines) noexcept {
    return static_cast<std::size_t>(std::uint64_t{hash * 0x85EBCA6BU} * lines >> 32);
  }
  static std::uint32_t mixed(std::uint32_t hash) noexcept {
    hash *= 0x9E3779B1U;
    return hash ^ hash >> 15;
  }
  /// A row has two words of a line: 32 counters.
  static place place_of(std::uint32_t places, unsigned row) noexcept {
    const auto counter = places >> (row * 8) & 31;
    return {row * 2 + (counter & 1), (counter >> 1) * 4};
  }

  void halve() noexcept {
    for (auto& words : lines_) {
      for (auto& word : words) word = word >> 1 & 0x7777777777777777;
    }
    added_ /= 2;
  }

  /// How often it may still double.
  int doublings_;
  std::vector<line> lines_;
  std::size_t added_ = 0;
  std::size_t period_ = 0;
};

}  // namespace scalekit::cache::detail
