#include "scalekit/cache/pinned_bytes.hpp"

#include "cache/memory_entry.hpp"

namespace scalekit::cache {

pinned_bytes::pinned_bytes(std::string_view bytes)
    : pinned_bytes(detail::memory_entry::make({.key = {}, .value = bytes})->pin()) {}

pinned_bytes::pinned_bytes(const pinned_bytes& other) noexcept
    : entry_(other.entry_), bytes_(other.bytes_) {
  if (entry_) entry_->add_reference();
}

void pinned_bytes::release() noexcept {
  entry_->drop_reference();
}

}  // namespace scalekit::cache
