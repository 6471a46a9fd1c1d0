#pragma once

#include "cache/memory_entry.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace scalekit::cache::detail {

/// Hash table from keys to entries: open addressing, linear probing, deletion by shifting back. A
/// slot holds the whole hash, so that an entry is only touched when it is (all but surely) the one.
///
/// Not thread-safe; does not own the entries.
class entry_index {
 public:
  static constexpr std::size_t slot_bytes = 16;

  entry_index() : slots_(least_slots), mask_(least_slots - 1) { publish(); }

  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return slots_.size(); }
  std::size_t bytes() const noexcept { return capacity() * slot_bytes; }

  /// Whether one entry more makes it double.
  bool is_full() const noexcept { return (size_ + 1) * 5 > capacity() * 4; }
  /// Whether it is much larger than its entries need.
  bool is_sparse() const noexcept { return capacity() > least_slots && size_ * 8 < capacity(); }

  /// Starts to fetch the slot of a hash. May be called while another thread changes the table: a
  /// stale address only costs the fetch.
  void prefetch(std::uint64_t hash) const noexcept {
    const auto* first = hint_.first.load(std::memory_order_relaxed);
    __builtin_prefetch(first + (hash & hint_.mask.load(std::memory_order_relaxed)));
  }

  memory_entry* find(std::string_view key, std::uint64_t hash) const noexcept {
    for (auto i = hash & mask_; slots_[i].entry; i = (i + 1) & mask_) {
      if (slots_[i].hash != hash) continue;
      slots_[i].entry->prefetch();
      if (slots_[i].entry->key() == key) return slots_[i].entry;
    }
    return nullptr;
  }

  /// Precondition: its key is not in the table, which is not full.
  void add(memory_entry* entry) noexcept {
    auto i = entry->hash & mask_;
    while (slots_[i].entry) i = (i + 1) & mask_;
    slots_[i] = {entry->hash, entry};
    ++size_;
  }

  /// Precondition: it is in the table.
  void remove(const memory_entry* entry) noexcept {
    auto hole = position(entry);
    for (auto i = (hole + 1) & mask_; slots_[i].entry; i = (i + 1) & mask_) {
      // A slot may move back to the hole unless its home lies after the hole.
      if (((i - slots_[i].hash) & mask_) >= ((i - hole) & mask_)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    }
    slots_[hole] = {};
    --size_;
  }

  /// Precondition: both are entries of the same key, and `old` is in the table.
  void replace(const memory_entry* old, memory_entry* entry) noexcept {
    slots_[position(old)].entry = entry;
  }

  /// `slots` is a power of two that holds the entries.
  void rehash(std::size_t slots) {
    std::vector<slot> old(slots);
    old.swap(slots_);
    mask_ = slots - 1;
    size_ = 0;
    publish();
    for (auto& each : old) {
      if (each.entry) add(each.entry);
    }
  }

  static constexpr std::size_t least_slots = 64;

 private:
  struct slot {
    std::uint64_t hash = 0;
    memory_entry* entry = nullptr;
  };
  static_assert(sizeof(slot) == slot_bytes);

  std::size_t position(const memory_entry* entry) const noexcept {
    auto i = entry->hash & mask_;
    while (slots_[i].entry != entry) i = (i + 1) & mask_;
    return i;
  }

  void publish() noexcept {
    hint_.first.store(slots_.data(), std::memory_order_relaxed);
    hint_.mask.store(mask_, std::memory_order_relaxed);
  }

  std::vector<slot> slots_;
  std::uint64_t mask_;
  // Where the slots are, for prefetch() only: the two may not fit each other.
  struct {
    std::atomic<const slot*> first;
    std::atomic<std::uint64_t> mask;
  } hint_;
  std::size_t size_ = 0;
};

}  // namespace scalekit::cache::detail
