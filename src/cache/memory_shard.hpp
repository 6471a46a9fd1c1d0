#pragma once

#include "cache/entry_index.hpp"
#include "cache/entry_queue.hpp"
#include "cache/ghost_table.hpp"
#include "cache/memory_entry.hpp"
#include "cache/type_table.hpp"
#include "scalekit/cache/lookup.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace scalekit::cache::detail {

/// What a lookup in memory found.
struct memory_found {
  cache::freshness freshness = cache::freshness::miss;
  std::int64_t age_ns = 0;
};

/// What a shard counted.
struct shard_counts {
  std::array<std::uint64_t, type_table::capacity> hits{};
  std::array<std::uint64_t, type_table::capacity> negative{};
  std::uint64_t evicted = 0;
  std::uint64_t expired = 0;
  std::uint64_t oversized = 0;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

/// A byte-bounded table with S3-FIFO eviction (Yang et al., SOSP 2023): a small queue for newcomers
/// with a tenth of the bytes, a main queue for what was hit in it or came back soon after it left
/// (the ghosts know), second chances in both. A hit writes one byte of an entry that is in the
/// CPU's cache already, and moves nothing: that is why it is here and not LRU or W-TinyLFU.
///
/// bytes() never exceeds the bound, except that the old index is still there while it doubles.
/// Not thread-safe, but for prefetch().
class memory_shard {
 public:
  explicit memory_shard(std::size_t max_bytes);
  ~memory_shard();
  memory_shard(const memory_shard&) = delete;
  memory_shard& operator=(const memory_shard&) = delete;

  /// Starts to fetch what find() will touch first. May be called without the lock.
  void prefetch(std::uint64_t hash) const noexcept { index_.prefetch(hash); }

  /// Copies a fresh value to `out`.
  memory_found find(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                    std::string& out);

  /// Keeps the item in place of what was there. False, and nothing is kept under the key, when it
  /// is too large.
  bool put(const memory_item& item);

  /// False: it was not there.
  bool erase(std::string_view key, std::uint64_t hash) noexcept;

  void clear() noexcept;

  std::size_t bytes() const noexcept {
    return small_.bytes() + main_.bytes() + index_.bytes() + ghosts_.bytes();
  }
  shard_counts counts() const;

 private:
  entry_queue& queue_of(const memory_entry& entry) noexcept {
    return entry.in == memory_entry::queue::small ? small_ : main_;
  }
  void insert(const memory_item& item, std::uint8_t uses, bool settled);
  void make_room(std::size_t bytes, std::int64_t now_ns) noexcept;
  void evict_one(std::int64_t now_ns) noexcept;
  void evict_from_small(std::int64_t now_ns) noexcept;
  void evict_from_main(std::int64_t now_ns) noexcept;
  void drop(memory_entry* entry) noexcept;
  void resize(std::size_t slots);
  std::size_t growth() const noexcept;

  std::size_t max_bytes_;
  entry_index index_;
  ghost_table ghosts_;
  entry_queue small_{memory_entry::queue::small};
  entry_queue main_{memory_entry::queue::main};
  shard_counts counts_;
};

}  // namespace scalekit::cache::detail
