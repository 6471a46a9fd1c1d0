#pragma once

#include "cache/memory_entry.hpp"

#include <cstddef>

namespace scalekit::cache::detail {

/// A FIFO of entries, linked through them, that knows its bytes. Not thread-safe; owns nothing.
class entry_queue {
 public:
  explicit entry_queue(memory_entry::segment name) : name_(name) {}

  bool empty() const noexcept { return !oldest_; }
  std::size_t bytes() const noexcept { return bytes_; }
  memory_entry* oldest() const noexcept { return oldest_; }

  void push(memory_entry* entry) noexcept {
    entry->in = name_;
    entry->newer = nullptr;
    entry->older = newest_;
    (newest_ ? newest_->newer : oldest_) = entry;
    newest_ = entry;
    bytes_ += entry->footprint();
  }

  void remove(memory_entry* entry) noexcept {
    (entry->newer ? entry->newer->older : newest_) = entry->older;
    (entry->older ? entry->older->newer : oldest_) = entry->newer;
    bytes_ -= entry->footprint();
  }

 private:
  memory_entry::segment name_;
  memory_entry* newest_ = nullptr;
  memory_entry* oldest_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace scalekit::cache::detail
