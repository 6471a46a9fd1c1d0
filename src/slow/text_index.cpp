#include "slow/text_index.hpp"

#include "slow/hash.hpp"

#include <bit>

namespace scalekit::slow {
namespace {

std::uint64_t content_hash(std::string_view sql, dialect d) noexcept {
  return hash_bytes(sql, static_cast<std::uint64_t>(d));
}

}  // namespace

text_index::text_index(std::size_t max_texts)
    : max_texts_(max_texts),
      by_content_(std::bit_ceil(2 * max_texts)),
      by_address_(std::bit_ceil(max_texts)),
      seen_once_(std::bit_ceil(max_texts)) {}

detail::statement_entry* text_index::find(std::string_view sql, dialect d) const noexcept {
  if (sql.size() > longest_text) return nullptr;
  const auto address = mix(reinterpret_cast<std::uintptr_t>(sql.data()) ^ 0x9e3779b97f4a7c15,
                           sql.size() ^ 0xe7037ed1a0b428db);
  auto& last = by_address_[address & (by_address_.size() - 1)];
  if (const auto* n = last.load(std::memory_order_acquire); n != nullptr && n->is(sql, d)) {
    return n->entry;
  }
  const auto hash = content_hash(sql, d);
  for (auto i = hash;; ++i) {
    const auto* n = by_content_[i & (by_content_.size() - 1)].load(std::memory_order_acquire);
    if (n == nullptr) return nullptr;
    if (n->hash == hash && n->is(sql, d)) {
      last.store(n, std::memory_order_release);
      return n->entry;
    }
  }
}

void text_index::offer(std::string_view sql, dialect d, detail::statement_entry* entry) {
  if (sql.size() > longest_text || size() >= max_texts_) return;
  const auto hash = content_hash(sql, d);
  auto& seen = seen_once_[hash & (seen_once_.size() - 1)];
  if (seen.exchange(hash, std::memory_order_relaxed) != hash) return;

  std::lock_guard lock(mutex_);
  if (nodes_.size() >= max_texts_ || bytes_ + sql.size() > max_texts_ * 1024) return;
  for (auto i = hash;; ++i) {
    auto& place = by_content_[i & (by_content_.size() - 1)];
    const auto* n = place.load(std::memory_order_relaxed);
    if (n != nullptr && n->hash == hash && n->is(sql, d)) return;
    if (n != nullptr) continue;
    nodes_.push_back(std::make_unique<const node>(node{hash, d, std::string(sql), entry}));
    place.store(nodes_.back().get(), std::memory_order_release);
    bytes_ += sql.size();
    size_.store(nodes_.size(), std::memory_order_relaxed);
    return;
  }
}

}  // namespace scalekit::slow
