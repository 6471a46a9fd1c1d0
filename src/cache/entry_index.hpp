#pragma once

#include "cache/memory_entry.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace scalekit::cache::detail {

/// Hash table from keys to entries that is read while it is changed. A chunk is a cache line: seven
/// slots, each an entry's address with 16 bits of its hash beside it, and the number of entries
/// that went on to later chunks because this one was full. Entries never move from slot to slot, so
/// that a reader misses none that is there.
///
/// find() may be called while another thread changes the table, inside a read_section; entries that
/// were removed, and the old table after resize(), must outlive the sections that saw them. All
/// else belongs to one writer at a time. Does not own the entries.
class entry_index {
  static constexpr std::size_t slots_per_chunk = 7;

  struct alignas(64) line {
    std::array<std::atomic<std::uint64_t>, slots_per_chunk> slots{};
    /// Entries of this chunk, or of one before it, that are in one after it.
    std::atomic<std::uint32_t> passed{0};
  };

  struct alignas(64) table {
    explicit table(std::size_t chunk_count)
        : count(chunk_count), chunks(std::make_unique<line[]>(chunk_count)) {}

    std::uint32_t home(std::uint32_t hash) const noexcept {
      return static_cast<std::uint32_t>(std::uint64_t{hash} * count >> 32);
    }
    std::uint32_t after(std::uint32_t at) const noexcept { return at + 1 == count ? 0 : at + 1; }

    std::uint32_t add(std::uint64_t word, std::uint32_t hash) noexcept {
      for (auto at = home(hash);; at = after(at)) {
        for (auto& slot : chunks[at].slots) {
          if (slot.load(std::memory_order_relaxed)) continue;
          slot.store(word);
          return at;
        }
        // Before the entry appears: no reader may stop short of it.
        chunks[at].passed.fetch_add(1);
      }
    }

    std::size_t count;
    std::unique_ptr<line[]> chunks;
  };

 public:
  static constexpr std::size_t chunk_bytes = sizeof(line);
  static constexpr std::size_t least_chunks = 4;

  entry_index() : table_(new table(least_chunks)) {}
  ~entry_index() { delete writers_table(); }
  entry_index(const entry_index&) = delete;
  entry_index& operator=(const entry_index&) = delete;

  std::size_t size() const noexcept { return size_; }
  std::size_t chunks() const noexcept { return writers_table()->count; }
  std::size_t bytes() const noexcept { return chunks() * chunk_bytes; }

  /// How many entries a table of so many chunks takes.
  static constexpr std::size_t room(std::size_t chunks) noexcept {
    return chunks * slots_per_chunk * 17 / 20;
  }
  bool is_full() const noexcept { return size_ >= room(chunks()); }
  /// Whether it is much larger than its entries need.
  bool is_sparse() const noexcept { return chunks() > least_chunks && size_ * 4 < room(chunks()); }
  std::size_t larger() const noexcept { return chunks() + chunks() / 8 + 1; }
  std::size_t smaller() const noexcept { return std::max(least_chunks, chunks() / 2); }

  /// Null: it is not there.
  memory_entry* find(std::string_view key, std::uint64_t hash) const noexcept {
    const auto* in = table_.load();
    const auto wanted = tag_of(hash);
    const auto low = static_cast<std::uint32_t>(hash);
    auto at = in->home(low);
    for (std::size_t looked = 0; looked < in->count; ++looked) {
      const auto& chunk = in->chunks[at];
      for (const auto& slot : chunk.slots) {
        const auto word = slot.load();
        if (word >> 48 != wanted) continue;
        auto* entry = entry_of(word);
        entry->prefetch();
        if (entry->hash == low && entry->key() == key) return entry;
      }
      if (chunk.passed.load() == 0) return nullptr;
      at = in->after(at);
    }
    return nullptr;
  }

  /// Returns the number of the entry's chunk. Precondition: its key is not in the table, which is
  /// not full. `hash` is the whole hash.
  std::uint32_t add(memory_entry* entry, std::uint64_t hash) noexcept {
    ++size_;
    return writers_table()->add(word_of(entry, tag_of(hash)), entry->hash);
  }

  /// Returns the number of its chunk. Precondition: both are entries of the same key, and `old` is
  /// in the table.
  std::uint32_t replace(const memory_entry* old, memory_entry* entry) noexcept {
    auto [chunk, slot] = position(old);
    auto& word = writers_table()->chunks[chunk].slots[slot];
    word.store(word_of(entry, word.load(std::memory_order_relaxed) >> 48));
    return chunk;
  }

  /// Precondition: it is in the table.
  void remove(const memory_entry* entry) noexcept {
    auto* in = writers_table();
    const auto [chunk, slot] = position(entry);
    in->chunks[chunk].slots[slot].store(0);
    for (auto at = in->home(entry->hash); at != chunk; at = in->after(at)) {
      in->chunks[at].passed.fetch_sub(1);
    }
    --size_;
  }

  /// Calls `visit(entry)` for each entry of a chunk; it may remove that entry.
  template <class Visit>
  void for_each_in(std::uint32_t chunk, Visit visit) const {
    for (const auto& slot : writers_table()->chunks[chunk].slots) {
      if (auto* entry = entry_of(slot.load(std::memory_order_relaxed))) visit(entry);
    }
  }

  /// Starts to fetch the chunk of a hash.
  void prefetch(std::uint32_t hash) const noexcept {
    const auto* in = writers_table();
    __builtin_prefetch(&in->chunks[in->home(hash)]);
  }

  /// Moves to a table of `chunks` chunks, with room for the entries. The old one is the caller's to
  /// keep for as long as readers may be in it. Calls `placed(entry, chunk)` for each entry.
  template <class Placed>
  std::unique_ptr<table> resize(std::size_t chunks, Placed placed) {
    auto made = std::make_unique<table>(chunks);
    std::unique_ptr<table> old(writers_table());
    for (std::size_t i = 0; i < old->count; ++i) {
      for (auto& slot : old->chunks[i].slots) {
        if (auto* entry = entry_of(slot.load(std::memory_order_relaxed))) entry->prefetch();
      }
      for (auto& slot : old->chunks[i].slots) {
        const auto word = slot.load(std::memory_order_relaxed);
        if (auto* entry = entry_of(word)) placed(entry, made->add(word, entry->hash));
      }
    }
    table_.store(made.release());
    return old;
  }

 private:
  struct slot_position {
    std::uint32_t chunk;
    std::size_t slot;
  };

  /// Never 0, as an empty slot is.
  static std::uint64_t tag_of(std::uint64_t hash) noexcept { return (hash >> 32 & 0xFFFF) | 1; }
  static memory_entry* entry_of(std::uint64_t word) noexcept {
    return reinterpret_cast<memory_entry*>(word & 0xFFFF'FFFF'FFFF);
  }
  static std::uint64_t word_of(const memory_entry* entry, std::uint64_t tag) noexcept {
    return reinterpret_cast<std::uintptr_t>(entry) | tag << 48;
  }

  slot_position position(const memory_entry* entry) const noexcept {
    const auto* in = writers_table();
    for (auto at = in->home(entry->hash);; at = in->after(at)) {
      for (std::size_t i = 0; i < slots_per_chunk; ++i) {
        if (entry_of(in->chunks[at].slots[i].load(std::memory_order_relaxed)) == entry) {
          return {at, i};
        }
      }
    }
  }

  table* writers_table() const noexcept { return table_.load(std::memory_order_relaxed); }

  // Readers look here first: nothing that writers change may lie beside it.
  alignas(64) std::atomic<table*> table_;
  alignas(64) std::size_t size_ = 0;
};

}  // namespace scalekit::cache::detail
