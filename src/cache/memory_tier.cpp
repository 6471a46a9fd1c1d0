#include "cache/memory_tier.hpp"

#include <algorithm>
#include <bit>

namespace scalekit::cache::detail {
namespace {

/// A change takes less than a microsecond, going to sleep for its end several.
std::unique_lock<std::mutex> take_turn(std::mutex& mutex) {
  for (int i = 0; i < 100; ++i) {
    std::unique_lock turn(mutex, std::try_to_lock);
    if (turn) return turn;
  }
  return std::unique_lock(mutex);
}

}  // namespace

std::size_t shard_count(const memory_params& params) noexcept {
  if (params.shards) return params.shards;
  constexpr std::size_t share = std::size_t{4} << 20;
  return std::bit_floor(std::clamp<std::size_t>(params.max_bytes / share, 1, 16));
}

memory_tier::memory_tier(const memory_params& params, std::uint64_t seed)
    : mask_(shard_count(params) - 1) {
  for (std::size_t i = 0; i <= mask_; ++i) {
    shards_.push_back(
        std::make_unique<guarded_shard>(params.max_bytes / (mask_ + 1), readers_, seed + i));
  }
}

bool memory_tier::keep(const memory_item& item, const fence& gate, std::uint32_t stripe,
                       const fill_token& token, bool over_newer) {
  tend(item.stored_ns);
  auto& shard = shard_of(item.hash);
  const auto turn = take_turn(shard.mutex);
  if (gate.current(stripe) != token) return false;
  if (over_newer || !shard.table.has_newer(item)) shard.table.put(item);
  return true;
}

void memory_tier::put(const memory_item& item, fence& gate, std::uint32_t stripe) {
  tend(item.stored_ns);
  auto& shard = shard_of(item.hash);
  const auto turn = take_turn(shard.mutex);
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
  const auto turn = take_turn(shard.mutex);
  shard.table.erase(key, hash);
}

void memory_tier::clear() noexcept {
  for (auto& shard : shards_) {
    const auto turn = take_turn(shard->mutex);
    shard->table.clear();
  }
}

void memory_tier::tend(std::int64_t now_ns) noexcept {
  const auto tick = memory_shard::tick_of(now_ns);
  auto seen = tended_.load(std::memory_order_relaxed);
  if (tick <= seen || !tended_.compare_exchange_strong(seen, tick)) return;
  bool done = true;
  for (auto& shard : shards_) {
    const std::unique_lock turn(shard->mutex, std::try_to_lock);
    done &= turn && shard->table.advance(now_ns);
  }
  // The next writer goes on.
  if (!done) tended_.store(seen, std::memory_order_relaxed);
}

shard_counts memory_tier::counts(std::int64_t now_ns) {
  shard_counts sum;
  for (auto& shard : shards_) {
    const auto turn = take_turn(shard->mutex);
    while (!shard->table.advance(now_ns)) {
    }
    const auto part = shard->table.counts();
    sum.evicted += part.evicted;
    sum.expired += part.expired;
    sum.oversized += part.oversized;
    sum.entries += part.entries;
    sum.bytes += part.bytes;
  }
  return sum;
}

hit_counts memory_tier::hits() const {
  hit_counts sum;
  for (const auto& lane : lane_hits_) {
    for (std::size_t i = 0; i < sum.hits.size(); ++i) {
      sum.hits[i] += lane.hits[i].load(std::memory_order_relaxed);
      sum.negative[i] += lane.negative[i].load(std::memory_order_relaxed);
    }
  }
  return sum;
}

}  // namespace scalekit::cache::detail
