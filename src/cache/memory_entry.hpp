#pragma once

#include "scalekit/cache/pinned_bytes.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>

namespace scalekit::cache::detail {

/// What a memory tier is told to keep.
struct memory_item {
  /// 0 to 65536 bytes.
  std::string_view key;
  std::uint64_t hash = 0;
  /// Below 4 GiB.
  std::string_view value;
  std::int64_t stored_ns = 0;
  /// The end of its time to live.
  std::int64_t expires_ns = 0;
  /// See type_table.
  std::uint8_t type = 0;
  bool negative = false;
  /// For how long after that it is kept, stale.
  std::int64_t stale_ns = 0;
};

/// A time of the monotonic clock in whole milliseconds, rounded down, in 5 bytes: 17 years both
/// ways.
class compact_time {
 public:
  void set_ns(std::int64_t ns) noexcept {
    const auto ms = ns / ns_per_ms - (ns % ns_per_ms < 0 ? 1 : 0);
    const auto biased = static_cast<std::uint64_t>(std::clamp(ms + bias, std::int64_t{0}, most));
    std::memcpy(bytes_, &biased, sizeof bytes_);
  }

  std::int64_t ns() const noexcept {
    std::uint64_t biased = 0;
    std::memcpy(&biased, bytes_, sizeof bytes_);
    return (static_cast<std::int64_t>(biased) - bias) * ns_per_ms;
  }

 private:
  static constexpr std::int64_t ns_per_ms = 1'000'000;
  static constexpr std::int64_t bias = std::int64_t{1} << 39;
  static constexpr std::int64_t most = (std::int64_t{1} << 40) - 1;

  unsigned char bytes_[5];
};

/// One entry: a header, then the key's bytes, then the value's, in one allocation, so that a hit
/// touches adjacent lines.
///
/// Readers find it without a lock: what they see of it does not change once it is published, but
/// for `uses`. The links and the segment belong to the shard's writers.
struct memory_entry {
  enum class segment : std::uint8_t { window, probation, protected_main };

  static constexpr std::uint8_t most_uses = 15;

  memory_entry* newer;
  memory_entry* older;
  /// The table's own reference, and one for each pinned_bytes.
  std::atomic<std::uint32_t> references;
  /// The lower half of the key's hash.
  std::uint32_t hash;
  std::uint32_t value_size;
  std::uint32_t key_size : 17;
  std::uint32_t type : 6;
  std::uint32_t negative : 1;
  compact_time expires;
  compact_time kept_until;
  compact_time stored;
  /// Hits that the policy has not seen yet, up to most_uses.
  std::atomic<std::uint8_t> uses;
  segment in;
  /// Stands for the bytes of key and value.
  char payload;

  static const std::size_t header_bytes;

  inline const char* bytes() const noexcept;
  std::string_view key() const noexcept { return {bytes(), key_size}; }
  std::string_view value() const noexcept { return {bytes() + key_size, value_size}; }

  /// Notes a hit. Hits at the same moment may be noted as one.
  void use() noexcept {
    const auto seen = uses.load(std::memory_order_relaxed);
    if (seen < most_uses) {
      uses.store(static_cast<std::uint8_t>(seen + 1), std::memory_order_relaxed);
    }
  }
  bool is_used() const noexcept { return uses.load(std::memory_order_relaxed) > 0; }

  /// Starts to fetch the lines of a small entry at once, rather than one after another.
  void prefetch() const noexcept {
    const auto* at = reinterpret_cast<const char*>(this);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    __builtin_prefetch(at + 128);
  }

  /// Bytes that an entry takes from the allocator: its 8 bytes of bookkeeping, rounded to 16.
  static inline std::size_t footprint(std::size_t key, std::size_t value) noexcept;
  std::size_t footprint() const noexcept { return footprint(key_size, value_size); }

  /// An entry with one reference. Throws std::bad_alloc.
  static inline memory_entry* make(const memory_item& item);

  /// Hands a reference over.
  pinned_bytes pin() noexcept { return {this, value()}; }

  void add_reference() noexcept { references.fetch_add(1, std::memory_order_relaxed); }
  void drop_reference() noexcept {
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) std::free(this);
  }

 private:
  static std::size_t allocated(std::size_t key, std::size_t value) noexcept {
    return std::max(sizeof(memory_entry), header_bytes + key + value);
  }
};

inline constexpr std::size_t memory_entry::header_bytes = offsetof(memory_entry, payload);

inline const char* memory_entry::bytes() const noexcept {
  return reinterpret_cast<const char*>(this) + header_bytes;
}

inline std::size_t memory_entry::footprint(std::size_t key, std::size_t value) noexcept {
  return (allocated(key, value) + 8 + 15) / 16 * 16;
}

inline memory_entry* memory_entry::make(const memory_item& item) {
  void* raw = std::malloc(allocated(item.key.size(), item.value.size()));
  // The index keeps 48 bits of an address.
  if (!raw || reinterpret_cast<std::uintptr_t>(raw) >> 48) {
    std::free(raw);
    throw std::bad_alloc();
  }
  auto* entry = new (raw) memory_entry{};
  entry->references.store(1, std::memory_order_relaxed);
  entry->hash = static_cast<std::uint32_t>(item.hash);
  entry->value_size = static_cast<std::uint32_t>(item.value.size());
  entry->key_size = static_cast<std::uint32_t>(item.key.size()) & 0x1FFFF;
  entry->type = item.type & 0x3F;
  entry->negative = item.negative ? 1 : 0;
  entry->expires.set_ns(item.expires_ns);
  entry->kept_until.set_ns(item.expires_ns + item.stale_ns);
  entry->stored.set_ns(item.stored_ns);
  auto* payload = static_cast<char*>(raw) + header_bytes;
  if (!item.key.empty()) std::memcpy(payload, item.key.data(), item.key.size());
  if (!item.value.empty()) {
    std::memcpy(payload + item.key.size(), item.value.data(), item.value.size());
  }
  return entry;
}

}  // namespace scalekit::cache::detail
