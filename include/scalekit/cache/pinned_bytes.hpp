#pragma once

#include "scalekit/cache/codec.hpp"
#include "scalekit/core/export.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace scalekit::cache {

namespace detail {
struct memory_entry;
}

/// Bytes of a value, without a copy: ask a store for it as for any other type.
///
///     auto page = store.get<cache::pinned_bytes>("page:7");
///     if (page) send(page->view());
///
/// A hit in memory refers to the bytes that the cache keeps. They stay as they are, at their place,
/// for as long as it or a copy of it exists, even if the key is set, erased or evicted meanwhile or
/// the store is gone. What was removed in the meantime is no longer counted in the store's bytes:
/// it is the holder's. What comes from a file or a loader is copied once.
///
/// Thread safety: as of std::shared_ptr. Copies, on different threads too, share the bytes.
class SCALEKIT_EXPORT pinned_bytes {
 public:
  /// No bytes.
  pinned_bytes() noexcept = default;
  /// A copy of `bytes`, below 4 GiB. Throws std::bad_alloc.
  explicit pinned_bytes(std::string_view bytes);

  pinned_bytes(const pinned_bytes& other) noexcept;
  pinned_bytes(pinned_bytes&& other) noexcept { swap(other); }
  pinned_bytes& operator=(pinned_bytes other) noexcept {
    swap(other);
    return *this;
  }
  ~pinned_bytes() {
    if (entry_) release();
  }

  std::string_view view() const noexcept { return bytes_; }
  operator std::string_view() const noexcept {
    return bytes_;
  }  // NOLINT(google-explicit-constructor)

 private:
  friend struct detail::memory_entry;

  /// Takes over one reference.
  pinned_bytes(detail::memory_entry* entry, std::string_view bytes) noexcept
      : entry_(entry), bytes_(bytes) {}

  void swap(pinned_bytes& other) noexcept {
    std::swap(entry_, other.entry_);
    std::swap(bytes_, other.bytes_);
  }
  void release() noexcept;

  detail::memory_entry* entry_ = nullptr;
  std::string_view bytes_;
};

template <>
struct codec<pinned_bytes> {
  static void encode(const pinned_bytes& value, std::string& out) { out += value.view(); }
  static std::optional<pinned_bytes> decode(std::string_view bytes) { return pinned_bytes(bytes); }
};

}  // namespace scalekit::cache
