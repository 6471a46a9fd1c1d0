#include "cache/tiny_lfu.hpp"

#include <algorithm>

namespace scalekit::cache::detail {
namespace {

// All of a segment may have been used; the search must end all the same.
constexpr int most_second_chances = 64;
// Four fifths of the main space, as in the papers.
constexpr std::size_t protected_fifths = 4;
// Whoever can guess the frequencies of others could make the filter refuse a key for ever: a warm
// contender gets in now and then whatever they are.
constexpr int warm = 6;
constexpr std::uint64_t lucky_one_in = 128;

}  // namespace

void tiny_lfu::add(memory_entry* entry, std::size_t entries) noexcept {
  counts_ = counts_ || entry_bytes() > counts_from_;
  if (counts_) sketch_.add(entry->hash);
  climber_.on_newcomer(entry->hash, entry->footprint(), entries);
  contender_ = nullptr;
  window_.push(entry);
  while (window_.oldest() != entry && pushed_out_of_window(0)) {
  }
  // The next to be looked at: their lines will be needed by the next newcomer.
  if (window_.oldest()) __builtin_prefetch(window_.oldest());
  if (probation_.oldest()) __builtin_prefetch(probation_.oldest());
}

void tiny_lfu::replace(memory_entry* old, memory_entry* entry) noexcept {
  entry->uses.store(old->uses.load(std::memory_order_relaxed), std::memory_order_relaxed);
  auto& queue = queue_of(*old);
  queue.remove(old);
  queue.push(entry);
  if (contender_ == old) contender_ = entry;
}

void tiny_lfu::remove(memory_entry* entry) noexcept {
  take_uses(entry);
  queue_of(*entry).remove(entry);
  if (contender_ == entry) contender_ = nullptr;
}

memory_entry* tiny_lfu::victim(std::size_t needed) noexcept {
  if (!contender_) contender_ = pushed_out_of_window(needed);
  auto* resident = weakest();
  if (!contender_ || contender_ == resident) return resident;
  if (admits(*contender_, *resident)) {
    climber_.on_evicted(resident->hash);
    return resident;
  }
  climber_.on_rejected(contender_->hash);
  return contender_;
}

entry_queue& tiny_lfu::queue_of(const memory_entry& entry) noexcept {
  switch (entry.in) {
    case memory_entry::segment::window:
      return window_;
    case memory_entry::segment::probation:
      return probation_;
    case memory_entry::segment::protected_main:
      break;
  }
  return protected_;
}

void tiny_lfu::move(memory_entry* entry, entry_queue& to) noexcept {
  queue_of(*entry).remove(entry);
  to.push(entry);
}

/// Counts the hits that an entry had since it was last asked. False: none.
bool tiny_lfu::take_uses(memory_entry* entry) noexcept {
  const auto uses = entry->uses.load(std::memory_order_relaxed);
  if (uses == 0) return false;
  entry->uses.store(0, std::memory_order_relaxed);
  if (counts_) sketch_.add(entry->hash, uses);
  return true;
}

/// Whom the window, with `needed` more bytes in it, has no room for; null: all fit. He is on
/// probation then.
memory_entry* tiny_lfu::pushed_out_of_window(std::size_t needed) noexcept {
  for (int chances = most_second_chances;; --chances) {
    auto* entry = window_.oldest();
    if (!entry || window_.bytes() + needed <= climber_.window_bytes()) return nullptr;
    if (chances > 0 && take_uses(entry)) {
      move(entry, window_);
      continue;
    }
    move(entry, probation_);
    return entry;
  }
}

void tiny_lfu::shrink_protected() noexcept {
  const auto main_bytes = probation_.bytes() + protected_.bytes();
  int chances = most_second_chances;
  while (protected_.bytes() > main_bytes / 5 * protected_fifths) {
    auto* entry = protected_.oldest();
    const bool stays = chances-- > 0 && take_uses(entry);
    move(entry, stays ? protected_ : probation_);
  }
}

memory_entry* tiny_lfu::weakest() noexcept {
  shrink_protected();
  for (int chances = most_second_chances; chances > 0; --chances) {
    auto* entry = probation_.oldest();
    if (!entry || entry == contender_ || !take_uses(entry)) break;
    move(entry, protected_);
    shrink_protected();
  }
  for (const auto* queue : {&probation_, &protected_, &window_}) {
    if (!queue->empty()) return queue->oldest();
  }
  return nullptr;
}

int tiny_lfu::frequency(const memory_entry& entry) const noexcept {
  return std::min(sketch_.estimate(entry.hash) + entry.uses.load(std::memory_order_relaxed),
                  frequency_sketch::most);
}

bool tiny_lfu::admits(const memory_entry& contender, const memory_entry& resident) noexcept {
  const auto his = frequency(contender);
  if (his > frequency(resident)) return true;
  if (his < warm) return false;
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return random_ % lucky_one_in == 0;
}

}  // namespace scalekit::cache::detail
