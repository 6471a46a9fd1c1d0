#include "cache/memory_tier.hpp"

#include <algorithm>
#include <bit>

namespace scalekit::cache::detail {

std::size_t shard_count(const memory_params& params) noexcept {
  if (params.shards) return params.shards;
  constexpr std::size_t share = std::size_t{4} << 20;
  return std::bit_floor(std::clamp<std::size_t>(params.max_bytes / share, 1, 16));
}

memory_tier::memory_tier(const memory_params& params) : mask_(shard_count(params) - 1) {
  for (std::size_t i = 0; i <= mask_; ++i) shards_.emplace_back(params.max_bytes / (mask_ + 1));
}

bool memory_tier::fill(const memory_item& item, const fence& gate, std::uint32_t stripe,
                       const fill_token& token) {
  auto& shard = shard_of(item.hash);
  std::lock_guard lock(shard.mutex);
  if (gate.current(stripe) != token) return false;
  shard.table.put(item);
  return true;
}

void memory_tier::put(const memory_item& item, fence& gate, std::uint32_t stripe) {
  auto& shard = shard_of(item.hash);
  std::lock_guard lock(shard.mutex);
  // Whoever takes a token from here on finds the item when it looks again before it loads.
  try {
    shard.table.put(item);
  } catch (...) {
    gate.advance(stripe);
    throw;
  }
  gate.advance(stripe);
}

void memory_tier::erase(std::string_view key, std::uint64_t hash) noexcept {
  auto& shard = shard_of(hash);
  std::lock_guard lock(shard.mutex);
  shard.table.erase(key, hash);
}

void memory_tier::clear() noexcept {
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    shard.table.clear();
  }
}

shard_counts memory_tier::counts() {
  shard_counts sum;
  for (auto& shard : shards_) {
    std::lock_guard lock(shard.mutex);
    const auto part = shard.table.counts();
    for (std::size_t i = 0; i < part.hits.size(); ++i) {
      sum.hits[i] += part.hits[i];
      sum.negative[i] += part.negative[i];
    }
    sum.evicted += part.evicted;
    sum.expired += part.expired;
    sum.oversized += part.oversized;
    sum.entries += part.entries;
    sum.bytes += part.bytes;
  }
  return sum;
}

}  // namespace scalekit::cache::detail
