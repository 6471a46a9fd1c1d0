#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace scalekit::cache::detail {

/// Remembers the hashes of keys lately evicted, so that one that comes back is known to be worth
/// keeping. Direct-mapped: a newer hash may push an older one out early, and two keys may be taken
/// for each other; both only cost precision. Not thread-safe.
class ghost_table {
 public:
  static constexpr std::size_t slot_bytes = 8;

  explicit ghost_table(std::size_t slots) : slots_(slots) {}

  std::size_t bytes() const noexcept { return slots_.size() * slot_bytes; }

  void add(std::uint64_t hash) noexcept { at(hash) = {fingerprint(hash), ++added_}; }

  /// Whether `hash` is among the last `window` added. Forgets it.
  bool take(std::uint64_t hash, std::size_t window) noexcept {
    auto& slot = at(hash);
    const bool known =
        slot.added && slot.fingerprint == fingerprint(hash) && added_ - slot.added < window;
    if (known) slot = {};
    return known;
  }

  /// Forgets all. `slots` is a power of two.
  void resize(std::size_t slots) {
    slots_.assign(slots, {});
    slots_.shrink_to_fit();
  }

 private:
  struct remembered {
    std::uint32_t fingerprint = 0;
    std::uint32_t added = 0;
  };
  static_assert(sizeof(remembered) == slot_bytes);

  static std::uint32_t fingerprint(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash >> 32);
  }
  remembered& at(std::uint64_t hash) noexcept { return slots_[hash & (slots_.size() - 1)]; }

  std::vector<remembered> slots_;
  std::uint32_t added_ = 0;
};

}  // namespace scalekit::cache::detail
