#pragma once

#include "cache/memory_entry.hpp"
#include "cache/reader_gate.hpp"

#include <cstddef>
#include <thread>
#include <utility>

namespace scalekit::cache::detail {

/// Entries that were taken out of the table while a reader may still look at them. One writer at a
/// time.
class retired_entries {
 public:
  explicit retired_entries(reader_gate& gate) : gate_(gate) {}
  /// Precondition: no reader is left.
  ~retired_entries() {
    release(waiting_);
    release(fresh_);
  }
  retired_entries(const retired_entries&) = delete;
  retired_entries& operator=(const retired_entries&) = delete;

  std::size_t bytes() const noexcept { return bytes_; }

  void add(memory_entry* entry) noexcept {
    bytes_ += entry->footprint();
    entry->older = std::exchange(fresh_, entry);
    if (++added_ % batch == 0) reclaim();
  }

  /// Gives back bytes until at most `most` are left. Waits for readers only if it must.
  void reclaim_to(std::size_t most) noexcept {
    while (bytes_ > most) {
      reclaim();
      if (bytes_ > most) std::this_thread::yield();
    }
  }

  /// Waits until nobody is inside who was when it was called.
  void wait_for_readers() const noexcept {
    reader_gate::grace_period grace;
    while (!grace.is_over(gate_)) std::this_thread::yield();
  }

 private:
  /// Asking the readers costs a look into each of their lanes. No more than the allocator keeps at
  /// hand for the thread, though: they will be needed for the next newcomers.
  static constexpr std::size_t batch = 6;

  void reclaim() noexcept {
    if (!waiting_) {
      waiting_ = std::exchange(fresh_, nullptr);
      grace_.start();
    }
    if (grace_.is_over(gate_)) release(waiting_);
  }

  void release(memory_entry*& list) noexcept {
    while (list) {
      auto* entry = std::exchange(list, list->older);
      bytes_ -= entry->footprint();
      entry->drop_reference();
    }
  }

  reader_gate& gate_;
  reader_gate::grace_period grace_;
  memory_entry* fresh_ = nullptr;
  /// Retired before the grace period began.
  memory_entry* waiting_ = nullptr;
  std::size_t bytes_ = 0;
  std::size_t added_ = 0;
};

}  // namespace scalekit::cache::detail
