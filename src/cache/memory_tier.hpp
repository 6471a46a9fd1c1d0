#pragma once

#include "cache/fence.hpp"
#include "cache/memory_shard.hpp"
#include "cache/reader_gate.hpp"
#include "cache/reader_lane.hpp"
#include "cache/type_table.hpp"
#include "scalekit/cache/lookup.hpp"
#include "scalekit/cache/pinned_bytes.hpp"
#include "scalekit/cache/store_params.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::cache::detail {

/// What a lookup in memory found.
struct memory_found {
  cache::freshness freshness = cache::freshness::miss;
  std::int64_t age_ns = 0;
  /// Of its time to live; negative: stale for so long.
  std::int64_t left_ns = 0;
};

static_assert(type_table::capacity <= 64, "memory_entry::type has 6 bits");

/// Lookups that found something, by type.
struct hit_counts {
  std::array<std::uint64_t, type_table::capacity> hits{};
  std::array<std::uint64_t, type_table::capacity> negative{};
};

/// What a lookup does with an entry while it is sure to be there.
inline auto copy_to(std::string& out) {
  return [&out](memory_entry& entry) { out.assign(entry.value()); };
}
inline auto pin_to(pinned_bytes& out) {
  return [&out](memory_entry& entry) {
    entry.add_reference();
    out = entry.pin();
  };
}

/// The memory tier: shards by hash. Writers of a shard take turns; readers take no lock.
///
/// Thread safety: all members may be called from any thread.
class memory_tier {
 public:
  /// Precondition: the settings were checked, and the tier is on.
  memory_tier(const memory_params& params, std::uint64_t seed);

  /// Copies a fresh value to `out`.
  memory_found find(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                    std::string& out) {
    return find_with(key, hash, now_ns, copy_to(out));
  }

  /// Lets `out` refer to a fresh value.
  memory_found pin(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                   pinned_bytes& out) {
    return find_with(key, hash, now_ns, pin_to(out));
  }

  /// As find() and pin(), but for a value that may be stale. Counts it as a hit where it is fresh.
  memory_found find_kept(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                         std::string& out) {
    return find_kept_with(key, hash, now_ns, copy_to(out));
  }
  memory_found pin_kept(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                        pinned_bytes& out) {
    return find_kept_with(key, hash, now_ns, pin_to(out));
  }

  /// As find(), but nobody has asked: it is not counted as a hit.
  memory_found peek(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                    std::string& out) {
    const reader_gate::read_section inside(readers_);
    const auto* entry = shard_of(hash).table.find(key, hash, now_ns);
    if (!entry) return {};
    out.assign(entry->value());
    return {entry->negative ? freshness::negative : freshness::fresh, now_ns - entry->stored.ns(),
            entry->expires.ns() - now_ns};
  }

  /// Keeps the item if `token` is still current, else keeps nothing new and returns false. Does not
  /// replace what was stored later: a refresh may have come while a file was read.
  ///
  /// The check and the change are one step for erase(): who advances the fence first and then calls
  /// erase() cannot leave behind what a fill stored in between.
  bool fill(const memory_item& item, const fence& gate, std::uint32_t stripe,
            const fill_token& token) {
    return keep(item, gate, stripe, token, false);
  }

  /// The same for what was set, which is the newest whenever the item was made.
  bool replace(const memory_item& item, const fence& gate, std::uint32_t stripe,
               const fill_token& token) {
    return keep(item, gate, stripe, token, true);
  }

  /// Keeps the item.
  /// Also refuses fills that began before, by the stripe of `gate`, in one step.
  void put(const memory_item& item, fence& gate, std::uint32_t stripe);

  void erase(std::string_view key, std::uint64_t hash) noexcept;
  void clear() noexcept;

  /// Removes what has expired, wherever that is due. put() and fill() do it at the time at which
  /// their items were stored. Costs next to nothing unless a tick of the wheels has passed.
  void tend(std::int64_t now_ns) noexcept;

  /// The sum over all shards, after what has expired was removed.
  shard_counts counts(std::int64_t now_ns);
  hit_counts hits() const;

 private:
  bool keep(const memory_item& item, const fence& gate, std::uint32_t stripe,
            const fill_token& token, bool over_newer);

  struct alignas(64) guarded_shard {
    guarded_shard(std::size_t max_bytes, reader_gate& readers, std::uint64_t seed)
        : table(max_bytes, readers, seed) {}

    std::mutex mutex;
    memory_shard table;
  };
  struct alignas(64) lane_hits {
    std::array<std::atomic<std::uint64_t>, type_table::capacity> hits{};
    std::array<std::atomic<std::uint64_t>, type_table::capacity> negative{};
  };

  /// `take(entry)` gets a fresh value while its entry is sure to be there.
  template <class Take>
  memory_found find_with(std::string_view key, std::uint64_t hash, std::int64_t now_ns, Take take) {
    const reader_gate::read_section inside(readers_);
    auto* entry = shard_of(hash).table.find(key, hash, now_ns);
    if (!entry) return {};
    return take_fresh(*entry, inside.lane(), now_ns, take);
  }

  template <class Take>
  memory_found find_kept_with(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                              Take take) {
    const reader_gate::read_section inside(readers_);
    auto* entry = shard_of(hash).table.find_kept(key, hash, now_ns);
    if (!entry) return {};
    const auto left = entry->expires.ns() - now_ns;
    if (left > 0) return take_fresh(*entry, inside.lane(), now_ns, take);
    take(*entry);
    return {freshness::stale, now_ns - entry->stored.ns(), left};
  }

  template <class Take>
  memory_found take_fresh(memory_entry& entry, std::size_t in_lane, std::int64_t now_ns,
                          Take& take) {
    auto& lane = lane_hits_[in_lane];
    auto count_in = [&](std::atomic<std::uint64_t>& counter) {
      reader_lane::add<std::uint64_t>(counter, in_lane, 1, std::memory_order_relaxed);
    };
    const auto age = now_ns - entry.stored.ns();
    const auto left = entry.expires.ns() - now_ns;
    if (entry.negative) {
      count_in(lane.negative[entry.type]);
      return {freshness::negative, age, left};
    }
    take(entry);
    count_in(lane.hits[entry.type]);
    return {freshness::fresh, age, left};
  }

  // The index inside a shard takes the lower half of the hash, and 16 bits above it.
  guarded_shard& shard_of(std::uint64_t hash) noexcept { return *shards_[(hash >> 56) & mask_]; }

  reader_gate readers_;
  std::array<lane_hits, reader_lane::count> lane_hits_;
  std::vector<std::unique_ptr<guarded_shard>> shards_;
  std::uint64_t mask_;
  std::atomic<std::int64_t> tended_{0};
};

/// The number of shards that `params` ask for.
std::size_t shard_count(const memory_params& params) noexcept;

}  // namespace scalekit::cache::detail
