#pragma once

// Where the TATs of one rule's keys live: a set-associative table of fixed size.
//
// A cell holds the key's hash and one word: the TAT shifted left by one, and a lock bit. Two ways
// lead to a cell:
// - the fast one, for a call under one rule: find the cell and compare-exchange its word. No lock.
// - the locked one, for everything else: take the stripe's mutex, then the lock bit of the cell;
//   decide; store the new word, which releases the bit. Only the locked way writes hashes, so only
//   it adds and drops keys. The fast way meets a set lock bit by falling back to the locked one.

#include "limit/gcra.hpp"
#include "limit/key_hash.hpp"

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace scalekit::limit::detail {

class cell_table {
 public:
  struct cell {
    std::atomic<std::uint64_t> lo{0};
    std::atomic<std::uint64_t> hi{0};
    std::atomic<nanos> word{0};
  };

  /// What one locked call found for its key, and may then change.
  struct slot {
    enum class origin : std::uint8_t { known, expired, forgotten, shared };

    cell* at;  ///< Lock bit held; null for origin::shared.
    nanos old_word;
    nanos tat;  ///< Of the key: what the decision is made on.
    nanos now;  ///< The call's own, or later.
    origin from;
  };

  explicit cell_table(std::size_t max_keys);

  /// What a fast call saw.
  struct glance {
    nanos tat;
    bool charged;
  };

  /// Charges a known key if it may be: `charged` false is a denial. None: take the locked way.
  std::optional<glance> try_charge(key_hash key, const gcra& g, nanos now, nanos charge) noexcept;

  /// Gives back; does nothing for a key without a cell of its own.
  void refund(key_hash key, nanos charge) noexcept;

  // --- the locked way; all but stripe() need its mutex ---

  std::mutex& stripe(key_hash key) noexcept;

  /// Finds the key's cell, or makes room for it. Every slot must go to commit() or abandon().
  slot acquire(key_hash key, const gcra& g, nanos now) noexcept;
  void commit(const slot& s, key_hash key, nanos tat) noexcept;
  void abandon(const slot& s) noexcept;

  std::size_t capacity() const noexcept { return set_count_ * cells_per_set; }
  std::size_t memory_bytes() const noexcept { return sizeof(*this) + set_count_ * sizeof(set); }

 private:
  static constexpr std::size_t cells_per_set = 7;
  static constexpr std::size_t stripe_count = 64;
  static constexpr nanos lock_bit = 1;

  /// Three cache lines.
  struct alignas(64) set {
    std::array<cell, cells_per_set> cells;
    /// The TAT of all keys that found no cell.
    nanos shared_tat = 0;
    /// A cell has been reused as expired at this time; see acquire().
    nanos forgotten_until = 0;
  };

  struct alignas(64) padded_mutex {
    std::mutex mutex;
  };

  std::size_t index(key_hash key) const noexcept;
  cell* find(set& in, key_hash key) noexcept;
  static nanos lock(cell& c) noexcept;

  std::size_t set_count_;
  std::unique_ptr<set[]> sets_;
  std::array<padded_mutex, stripe_count> stripes_;
};

/// True only while no second thread was ever started: what glibc's mutexes and libstdc++'s
/// shared_ptr ask before they leave out the locked instruction, a third of our cost.
inline bool is_single_threaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded != 0;
#else
  return false;
#endif
}

inline std::size_t cell_table::index(key_hash key) const noexcept {
  __extension__ using wide = unsigned __int128;
  return static_cast<std::size_t>(static_cast<wide>(key.lo) * set_count_ >> 64);
}

inline cell_table::cell* cell_table::find(set& in, key_hash key) noexcept {
  for (auto& c : in.cells) {
    if (c.lo.load(std::memory_order_acquire) == key.lo &&
        c.hi.load(std::memory_order_acquire) == key.hi) {
      return &c;
    }
  }
  return nullptr;
}

inline std::optional<cell_table::glance> cell_table::try_charge(key_hash key, const gcra& g,
                                                                nanos now, nanos charge) noexcept {
  auto* c = find(sets_[index(key)], key);
  if (c == nullptr) return std::nullopt;
  for (;;) {
    auto word = c->word.load(std::memory_order_acquire);
    if (word & lock_bit) return std::nullopt;
    // The cell may have changed owner since find(). Hashes are written only while the lock bit is
    // set and the owner's word differs from the last one's, so hashes that still match after the
    // word was read, and a word that has not changed since, belong together.
    if (c->lo.load(std::memory_order_acquire) != key.lo ||
        c->hi.load(std::memory_order_acquire) != key.hi) {
      return std::nullopt;
    }
    auto tat = word >> 1;
    if (g.wait(tat, now, charge) > 0) {
      if (c->word.load(std::memory_order_relaxed) != word) continue;
      return glance{tat, false};
    }
    auto next = gcra::after(tat, now, charge);
    if (is_single_threaded()) {
      c->word.store(next << 1, std::memory_order_relaxed);
      return glance{next, true};
    }
    if (c->word.compare_exchange_weak(word, next << 1, std::memory_order_acq_rel,
                                      std::memory_order_relaxed)) {
      return glance{next, true};
    }
  }
}

}  // namespace scalekit::limit::detail
