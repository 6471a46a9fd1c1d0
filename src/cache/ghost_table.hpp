#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace scalekit::cache::detail {

/// Remembers the hashes of keys that lately left the cache. Direct-mapped: a newer hash may push an
/// older one out early, which only costs precision. Not thread-safe.
class ghost_table {
 public:
  static constexpr std::size_t slot_bytes = 8;

  /// `slots` is at least 1.
  explicit ghost_table(std::size_t slots) : slots_(slots) {}

  std::size_t bytes() const noexcept { return slots_.size() * slot_bytes; }

  void add(std::uint32_t hash) noexcept { at(hash) = {hash, ++added_}; }

  /// Whether `hash` is among the last `depth` added. Forgets it.
  bool take(std::uint32_t hash, std::size_t depth) noexcept {
    auto& slot = at(hash);
    const bool known = slot.added && slot.hash == hash && added_ - slot.added < depth;
    if (known) slot = {};
    return known;
  }

  /// Forgets all.
  void resize(std::size_t slots) { std::vector<remembered>(slots).swap(slots_); }

 private:
  struct remembered {
    std::uint32_t hash = 0;
    /// Number of its add(); 0: empty.
    std::uint32_t added = 0;
  };
  static_assert(sizeof(remembered) == slot_bytes);

  remembered& at(std::uint32_t hash) noexcept {
    return slots_[static_cast<std::size_t>(std::uint64_t{hash * 0xC2B2AE35U} * slots_.size() >>
                                           32)];
  }

  std::vector<remembered> slots_;
  std::uint32_t added_ = 0;
};

}  // namespace scalekit::cache::detail
