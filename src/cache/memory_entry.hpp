#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <string_view>

namespace scalekit::cache::detail {

/// What a memory tier is told to keep.
struct memory_item {
  std::string_view key;
  std::uint64_t hash = 0;
  std::string_view value;
  std::int64_t stored_ns = 0;
  std::int64_t expires_ns = 0;
  std::uint8_t type = 0;
  bool negative = false;
};

/// One entry: a header, then the key's bytes, then the value's, in one allocation, so that a hit
/// touches adjacent lines.
struct memory_entry {
  enum class queue : std::uint8_t { small, main };

  std::int64_t expires_ns;
  std::int64_t stored_ns;
  std::uint64_t hash;
  std::uint32_t key_size;
  std::uint32_t value_size;
  memory_entry* newer;
  memory_entry* older;
  std::uint8_t type;
  bool negative;
  queue in;
  /// Hits since it was queued, up to 3.
  std::uint8_t uses;

  const char* bytes() const noexcept { return reinterpret_cast<const char*>(this + 1); }
  char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
  std::string_view key() const noexcept { return {bytes(), key_size}; }
  std::string_view value() const noexcept { return {bytes() + key_size, value_size}; }

  /// Starts to fetch the lines of a small entry at once, rather than one after another.
  void prefetch() const noexcept {
    const auto* at = reinterpret_cast<const char*>(this);
    __builtin_prefetch(at);
    __builtin_prefetch(at + 64);
    __builtin_prefetch(at + 128);
  }

  /// Bytes that an entry takes from the allocator: its 8 bytes of bookkeeping, rounded to 16.
  static constexpr std::size_t footprint(std::size_t key, std::size_t value) noexcept {
    return (sizeof(memory_entry) + key + value + 8 + 15) / 16 * 16;
  }
  std::size_t footprint() const noexcept { return footprint(key_size, value_size); }

  /// Sizes must fit 32 bits. Throws std::bad_alloc.
  static memory_entry* make(const memory_item& item) {
    void* raw = std::malloc(sizeof(memory_entry) + item.key.size() + item.value.size());
    if (!raw) throw std::bad_alloc();
    auto* entry = new (raw) memory_entry{};
    entry->hash = item.hash;
    entry->key_size = static_cast<std::uint32_t>(item.key.size());
    entry->assign(item);
    std::memcpy(entry->bytes(), item.key.data(), item.key.size());
    return entry;
  }

  /// Takes over the item's value, which has room.
  void assign(const memory_item& item) noexcept {
    expires_ns = item.expires_ns;
    stored_ns = item.stored_ns;
    type = item.type;
    negative = item.negative;
    value_size = static_cast<std::uint32_t>(item.value.size());
    if (!item.value.empty()) {
      std::memcpy(bytes() + key_size, item.value.data(), item.value.size());
    }
  }

  static void destroy(memory_entry* entry) noexcept { std::free(entry); }
};

}  // namespace scalekit::cache::detail
