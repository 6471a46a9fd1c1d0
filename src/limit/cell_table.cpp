#include "limit/cell_table.hpp"

#include <algorithm>

namespace scalekit::limit::detail {

cell_table::cell_table(std::size_t max_keys)
    : set_count_((max_keys + cells_per_set - 1) / cells_per_set),
      sets_(std::make_unique<set[]>(set_count_)) {}

std::mutex& cell_table::stripe(key_hash key) noexcept {
  return stripes_[index(key) % stripe_count].mutex;
}

nanos cell_table::lock(cell& c) noexcept {
  auto word = c.word.load(std::memory_order_relaxed);
  while (!c.word.compare_exchange_weak(word, word | lock_bit, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
  }
  return word;
}

cell_table::slot cell_table::acquire(key_hash key, const gcra& g, nanos now) noexcept {
  auto& home = sets_[index(key)];
  if (auto* own = find(home, key)) {
    auto word = lock(*own);
    return {own, word, word >> 1, now, slot::origin::known};
  }

  // The key may have been here until another thread, whose clock reading was newer than ours,
  // reused its cell as expired. Deciding at that newer time keeps its debt from being forgiven.
  now = std::max(now, home.forgotten_until);
  // Whoever comes from the shared cell may owe all that is owed there.
  auto tat = std::max(now, home.shared_tat);

  auto& fullest =
      *std::min_element(home.cells.begin(), home.cells.end(), [](const cell& a, const cell& b) {
        return a.word.load(std::memory_order_relaxed) < b.word.load(std::memory_order_relaxed);
      });
  auto word = lock(fullest);
  auto debt = (word >> 1) - now;
  if (debt <= 0) return {&fullest, word, tat, now, slot::origin::expired};
  // Under a flood of new keys those that spent little are dropped; never one near its limit.
  if (debt <= g.tolerance / 4) return {&fullest, word, tat, now, slot::origin::forgotten};
  fullest.word.store(word, std::memory_order_release);
  return {nullptr, 0, home.shared_tat, now, slot::origin::shared};
}

void cell_table::commit(const slot& s, key_hash key, nanos tat) noexcept {
  auto& home = sets_[index(key)];
  if (s.from == slot::origin::shared) {
    home.shared_tat = tat;
    return;
  }
  if (s.from != slot::origin::known) {
    home.forgotten_until = std::max(home.forgotten_until, s.now);
    s.at->lo.store(key.lo, std::memory_order_release);
    s.at->hi.store(key.hi, std::memory_order_release);
    // try_charge() relies on a new owner's word being another one.
    if (tat << 1 == s.old_word) ++tat;
  }
  s.at->word.store(tat << 1, std::memory_order_release);
}

void cell_table::abandon(const slot& s) noexcept {
  if (s.at != nullptr) s.at->word.store(s.old_word, std::memory_order_release);
}

void cell_table::refund(key_hash key, nanos charge) noexcept {
  std::lock_guard hold(stripe(key));
  auto* own = find(sets_[index(key)], key);
  if (own == nullptr) return;
  auto tat = lock(*own) >> 1;
  own->word.store(std::max<nanos>(tat - charge, 0) << 1, std::memory_order_release);
}

}  // namespace scalekit::limit::detail
