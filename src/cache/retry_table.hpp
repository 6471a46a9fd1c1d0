#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace scalekit::cache::detail {

/// Keys whose load has failed of late: why, and when the next may be tried. By hash: two keys that
/// share one cost each other a refresh.
///
/// Bounded: what is over is swept out when a part has doubled, and a part that is full of what is
/// not is emptied. That costs its keys a load each.
///
/// Thread safety: all members may be called from any thread.
class retry_table {
 public:
  static constexpr std::size_t most_in_part = 4096;

  /// Why the last load failed, if the next one may not be tried yet; else null.
  std::exception_ptr failure(std::uint64_t hash, std::int64_t now_ns) {
    auto& part = part_of(hash);
    std::lock_guard lock(part.mutex);
    const auto found = part.failed.find(hash);
    if (found == part.failed.end() || now_ns >= found->second.retry_ns) return nullptr;
    return found->second.why;
  }

  /// Precondition: `why` is not null.
  void note(std::uint64_t hash, std::exception_ptr why, std::int64_t now_ns,
            std::int64_t retry_ns) {
    auto& part = part_of(hash);
    std::lock_guard lock(part.mutex);
    if (part.failed.size() >= part.sweep_at) {
      std::erase_if(part.failed, [&](const auto& each) { return now_ns >= each.second.retry_ns; });
      if (part.failed.size() >= most_in_part) part.failed.clear();
      part.sweep_at = std::min(most_in_part, std::max(least_sweep, 2 * part.failed.size()));
    }
    part.failed[hash] = {std::move(why), retry_ns};
  }

  void forget(std::uint64_t hash) {
    auto& part = part_of(hash);
    std::lock_guard lock(part.mutex);
    part.failed.erase(hash);
  }

  std::size_t size() {
    std::size_t sum = 0;
    for (auto& part : parts_) {
      std::lock_guard lock(part.mutex);
      sum += part.failed.size();
    }
    return sum;
  }

 private:
  static constexpr std::size_t least_sweep = 64;

  struct failed_load {
    std::exception_ptr why;
    std::int64_t retry_ns = 0;
  };
  struct table_part {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, failed_load> failed;
    std::size_t sweep_at = least_sweep;
  };

  table_part& part_of(std::uint64_t hash) noexcept { return parts_[hash >> 60]; }

  std::array<table_part, 16> parts_;
};

}  // namespace scalekit::cache::detail
