#pragma once

#include "scalekit/slow/tracker.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace scalekit::slow {

/// Finds the entry of a statement by its text, without a lock. Grows to a bound and forgets
/// nothing: readers need no protection from what is freed under them.
///
/// Thread safety: every member may be called from any thread.
class text_index {
 public:
  /// At most `max_texts`, and 1 KiB times that altogether.
  explicit text_index(std::size_t max_texts);

  /// Null if the text is not known.
  detail::statement_entry* find(std::string_view sql, dialect d) const noexcept;

  /// Remembers a text, from the second time it comes here: the first leaves only its hash in a
  /// small table, which texts that never return pass through.
  void offer(std::string_view sql, dialect d, detail::statement_entry* entry);

  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  struct node {
    std::uint64_t hash;
    dialect d;
    std::string text;
    detail::statement_entry* entry;

    bool is(std::string_view sql, dialect other) const noexcept {
      return d == other && text == sql;
    }
  };
  using slot = std::atomic<const node*>;

  static constexpr std::size_t longest_text = std::size_t{16} << 10;

  const std::size_t max_texts_;
  // Open addressing; at most half full, so that probing ends at an empty slot.
  std::vector<slot> by_content_;
  // What was last found for an address and length; the content is compared on each use.
  mutable std::vector<slot> by_address_;
  std::vector<std::atomic<std::uint64_t>> seen_once_;

  std::mutex mutex_;
  std::vector<std::unique_ptr<const node>> nodes_;
  std::size_t bytes_ = 0;
  std::atomic<std::size_t> size_{0};
};

}  // namespace scalekit::slow
