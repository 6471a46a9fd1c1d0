#pragma once

#include "cache/fence.hpp"
#include "cache/memory_shard.hpp"
#include "scalekit/cache/store_params.hpp"

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// The memory tier: shards by hash, each with a lock of its own.
///
/// Thread safety: all members may be called from any thread.
class memory_tier {
 public:
  /// Precondition: the settings were checked, and the tier is on.
  explicit memory_tier(const memory_params& params);

  memory_found find(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                    std::string& out) {
    auto& shard = shard_of(hash);
    shard.table.prefetch(hash);
    std::lock_guard lock(shard.mutex);
    return shard.table.find(key, hash, now_ns, out);
  }

  /// Keeps the item if `token` is still current, else keeps nothing new and returns false.
  ///
  /// The check and the change are one step for erase(): who advances the fence first and then calls
  /// erase() cannot leave behind what a fill stored in between.
  bool fill(const memory_item& item, const fence& gate, std::uint32_t stripe,
            const fill_token& token);

  /// Keeps the item.
  /// Also refuses fills that began before, by the stripe of `gate`, in one step.
  void put(const memory_item& item, fence& gate, std::uint32_t stripe);

  void erase(std::string_view key, std::uint64_t hash) noexcept;
  void clear() noexcept;

  /// The sum over all shards.
  shard_counts counts();

 private:
  struct alignas(64) guarded_shard {
    explicit guarded_shard(std::size_t max_bytes) : table(max_bytes) {}

    std::mutex mutex;
    memory_shard table;
  };

  // The index inside a shard takes the low bits of the hash, ghosts the upper half's low ones.
  guarded_shard& shard_of(std::uint64_t hash) noexcept { return shards_[(hash >> 56) & mask_]; }

  std::deque<guarded_shard> shards_;
  std::uint64_t mask_;
};

/// The number of shards that `params` ask for.
std::size_t shard_count(const memory_params& params) noexcept;

}  // namespace scalekit::cache::detail
