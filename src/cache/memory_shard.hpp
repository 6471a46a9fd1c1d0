#pragma once

#include "cache/entry_index.hpp"
#include "cache/memory_entry.hpp"
#include "cache/reader_gate.hpp"
#include "cache/retired_entries.hpp"
#include "cache/timer_wheel.hpp"
#include "cache/tiny_lfu.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace scalekit::cache::detail {

/// What a shard counted.
struct shard_counts {
  std::uint64_t evicted = 0;
  std::uint64_t expired = 0;
  std::uint64_t oversized = 0;
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
};

/// A byte-bounded table: an index that is read without a lock, a policy that says who has to go, a
/// timer wheel that knows which chunks of the index hold something that expires.
///
/// bytes() never exceeds the bound after a call, and within one only while the index grows.
///
/// Thread safety: find() may be called from any thread, inside a read_section of the gate; all else
/// by one writer at a time.
class memory_shard {
 public:
  memory_shard(std::size_t max_bytes, reader_gate& gate, std::uint64_t seed);
  /// Precondition: no reader is left.
  ~memory_shard();
  memory_shard(const memory_shard&) = delete;
  memory_shard& operator=(const memory_shard&) = delete;

  /// The entry of a key that has not expired, or null. The use is noted.
  memory_entry* find(std::string_view key, std::uint64_t hash, std::int64_t now_ns) const noexcept {
    auto* entry = index_.find(key, hash);
    if (!entry || now_ns >= entry->expires.ns()) return nullptr;
    entry->use();
    return entry;
  }

  /// As find(), but it may be past its time, if it is still kept.
  memory_entry* find_kept(std::string_view key, std::uint64_t hash,
                          std::int64_t now_ns) const noexcept {
    auto* entry = index_.find(key, hash);
    if (!entry || now_ns >= entry->kept_until.ns()) return nullptr;
    entry->use();
    return entry;
  }

  /// For writers: whether something is there that was stored later.
  bool has_newer(const memory_item& item) const noexcept {
    const auto* entry = index_.find(item.key, item.hash);
    return entry && entry->stored.ns() > item.stored_ns;
  }

  /// Keeps the item in place of what was there. False, and nothing is kept under the key, when it
  /// is too large. Throws std::bad_alloc, and nothing is kept then either.
  bool put(const memory_item& item);

  /// False: it was not there.
  bool erase(std::string_view key, std::uint64_t hash) noexcept;

  void clear() noexcept;

  /// Removes what has expired, some hundred entries at most. False: there is more.
  bool advance(std::int64_t now_ns) noexcept;

  /// Time in which expired entries are told apart.
  static constexpr std::int64_t tick_of(std::int64_t ns) noexcept { return ns >> 27; }

  std::size_t bytes() const noexcept { return table_bytes() + retired_.bytes(); }
  shard_counts counts() const noexcept;

 private:
  std::size_t table_bytes() const noexcept;
  std::size_t growth() const noexcept;
  void make_room(std::size_t needed, std::int64_t now_ns) noexcept;
  void resize(std::size_t chunks);
  void drop(memory_entry* entry) noexcept;
  void tidy() noexcept { retired_.reclaim_to(most_retired_); }

  std::size_t max_bytes_;
  /// The part of them that retired entries may take.
  std::size_t most_retired_;
  entry_index index_;
  timer_wheel wheel_;
  tiny_lfu policy_;
  retired_entries retired_;
  shard_counts counts_;
};

}  // namespace scalekit::cache::detail
