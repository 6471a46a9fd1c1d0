#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::cache::detail {

/// The keys on which loaders spend the most time, in bounded memory, by the algorithm Space-Saving:
/// a key that is new takes the place of the one with the least, and inherits that as a possible
/// error. What has more than a 64th of all time is always among them.
///
/// Thread safety: all members may be called from any thread.
class load_costs {
 public:
  struct row {
    std::string key;
    std::uint64_t loads = 0;
    std::chrono::nanoseconds spent{0};
    /// At most so much of it may have been spent on others.
    std::chrono::nanoseconds error{0};
  };

  void add(std::string_view key, std::chrono::nanoseconds took) {
    key = key.substr(0, most_key_bytes);
    const std::lock_guard lock(mutex_);
    auto found = std::ranges::find(rows_, key, &row::key);
    if (found == rows_.end() && rows_.size() < capacity) {
      found = rows_.insert(found, row{std::string(key)});
    } else if (found == rows_.end()) {
      found = std::ranges::min_element(rows_, {}, &row::spent);
      const auto inherited = found->spent;
      *found = {std::string(key), 0, inherited, inherited};
    }
    ++found->loads;
    found->spent += took;
  }

  /// Those with the most, that first.
  std::vector<row> top(std::size_t count) const {
    std::unique_lock lock(mutex_);
    auto rows = rows_;
    lock.unlock();
    std::ranges::sort(rows, std::greater{}, &row::spent);
    rows.resize(std::min(rows.size(), count));
    return rows;
  }

 private:
  static constexpr std::size_t capacity = 64;
  static constexpr std::size_t most_key_bytes = 256;

  mutable std::mutex mutex_;
  std::vector<row> rows_;
};

/// Charges keys, in equal parts, with the time that it lives.
class load_meter {
 public:
  load_meter(load_costs& costs, std::span<const std::string_view> keys)
      : costs_(costs), keys_(keys) {}
  ~load_meter() {
    const auto took = std::chrono::steady_clock::now() - begun_;
    try {
      for (const auto key : keys_) costs_.add(key, took / keys_.size());
    } catch (const std::bad_alloc&) {
      // An estimate the less.
    }
  }
  load_meter(const load_meter&) = delete;
  load_meter& operator=(const load_meter&) = delete;

 private:
  load_costs& costs_;
  const std::span<const std::string_view> keys_;
  const std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

}  // namespace scalekit::cache::detail
