#pragma once

#include "cache/entry_queue.hpp"
#include "cache/frequency_sketch.hpp"
#include "cache/memory_entry.hpp"
#include "cache/window_climber.hpp"

#include <cstddef>
#include <cstdint>

namespace scalekit::cache::detail {

/// Which entry has to go: adaptive W-TinyLFU (Einziger, Friedman, Manes: TinyLFU, 2017; Einziger,
/// Eytan, Friedman, Manes: Adaptive software cache management, 2018). Newcomers enter a window. Who
/// is pushed out of it contends with the weakest of the main space, and whichever was asked for
/// more often lately stays. The main space is segmented: on probation until used again, then
/// protected.
///
/// The three segments are FIFOs with second chances where the papers have LRU lists: a hit only
/// counts up in its entry, and the order is made up for when the entry gets to the end of its
/// segment. So a hit moves nothing, needs no lock, and the hit ratio is as good.
///
/// Weighs by bytes. Not thread-safe, but for memory_entry::use() on its entries; owns none of them.
class tiny_lfu {
 public:
  /// `entries`: about how many to expect. `seed` decides the rare random admissions.
  tiny_lfu(std::size_t max_bytes, std::size_t entries, std::uint64_t seed)
      : counts_from_(max_bytes / 100 * 47),
        sketch_(max_bytes / sketch_part),
        climber_(max_bytes, entries),
        random_(seed | 1) {
    sketch_.resize(entries);
  }

  /// What it takes itself for so many entries.
  std::size_t bytes_for(std::size_t entries) const noexcept {
    return sketch_.bytes_for(entries) + window_climber::bytes_for(entries);
  }
  std::size_t bytes() const noexcept { return sketch_.bytes() + climber_.bytes(); }

  std::size_t entry_bytes() const noexcept {
    return window_.bytes() + probation_.bytes() + protected_.bytes();
  }

  /// A key that was not there, among `entries` with it.
  void add(memory_entry* entry, std::size_t entries) noexcept;

  /// A newer entry of the same key: it takes over the place and the uses.
  void replace(memory_entry* old, memory_entry* entry) noexcept;

  void remove(memory_entry* entry) noexcept;

  /// The one to remove next, so that a newcomer of `needed` bytes may enter. Precondition: there
  /// are entries.
  memory_entry* victim(std::size_t needed) noexcept;

  /// For about `entries` entries from now on.
  void resize(std::size_t entries) {
    sketch_.resize(entries);
    climber_.resize(entries);
  }

 private:
  /// The sketch may have a 48th of all bytes: some 4 bytes an entry of 200.
  static constexpr std::size_t sketch_part = 48;

  entry_queue& queue_of(const memory_entry& entry) noexcept;
  void move(memory_entry* entry, entry_queue& to) noexcept;
  bool take_uses(memory_entry* entry) noexcept;
  memory_entry* pushed_out_of_window(std::size_t needed) noexcept;
  void shrink_protected() noexcept;
  memory_entry* weakest() noexcept;
  int frequency(const memory_entry& entry) const noexcept;
  bool admits(const memory_entry& contender, const memory_entry& resident) noexcept;

  /// Requests are counted from so many bytes of entries on, about half of what there is room for.
  /// Before, nobody has to make way, and to have come early shall be no merit later.
  std::size_t counts_from_;
  bool counts_ = false;
  frequency_sketch sketch_;
  window_climber climber_;
  entry_queue window_{memory_entry::segment::window};
  entry_queue probation_{memory_entry::segment::probation};
  entry_queue protected_{memory_entry::segment::protected_main};
  /// Was pushed out of the window, has won all contests so far.
  memory_entry* contender_ = nullptr;
  std::uint64_t random_;
};

}  // namespace scalekit::cache::detail
