#include "cache/memory_shard.hpp"

namespace scalekit::cache::detail {
namespace {

constexpr std::uint8_t most_uses = 3;
// Hot entries may take all of the main queue; the search for a victim must end all the same.
constexpr int most_second_chances = 64;
constexpr std::size_t small_share = 10;

constexpr std::size_t bytes_per_slot = entry_index::slot_bytes + ghost_table::slot_bytes;

}  // namespace

memory_shard::memory_shard(std::size_t max_bytes)
    : max_bytes_(max_bytes), ghosts_(entry_index::least_slots) {}

memory_shard::~memory_shard() {
  clear();
}

memory_found memory_shard::find(std::string_view key, std::uint64_t hash, std::int64_t now_ns,
                                std::string& out) {
  auto* entry = index_.find(key, hash);
  if (!entry) return {};
  if (now_ns >= entry->expires_ns) {
    ++counts_.expired;
    drop(entry);
    return {};
  }
  if (entry->uses < most_uses) ++entry->uses;
  if (entry->negative) {
    ++counts_.negative[entry->type];
    return {freshness::negative, now_ns - entry->stored_ns};
  }
  out.assign(entry->value());
  ++counts_.hits[entry->type];
  return {freshness::fresh, now_ns - entry->stored_ns};
}

bool memory_shard::put(const memory_item& item) {
  const auto footprint = memory_entry::footprint(item.key.size(), item.value.size());
  auto* old = index_.find(item.key, item.hash);
  if (footprint > max_bytes_ / 2) {
    ++counts_.oversized;
    if (old) drop(old);
    return false;
  }
  if (old && old->footprint() == footprint && old->value_size == item.value.size()) {
    old->assign(item);
    return true;
  }
  const auto uses = old ? old->uses : std::uint8_t{0};
  const bool settled = old && old->in == memory_entry::queue::main;
  if (old) drop(old);
  insert(item, uses, settled);
  return true;
}

void memory_shard::insert(const memory_item& item, std::uint8_t uses, bool settled) {
  if (index_.is_sparse()) resize(index_.capacity() / 2);
  make_room(memory_entry::footprint(item.key.size(), item.value.size()), item.stored_ns);
  if (index_.is_full()) resize(index_.capacity() * 2);
  auto* entry = memory_entry::make(item);
  entry->uses = uses;
  index_.add(entry);
  settled |= ghosts_.take(item.hash, index_.size());
  (settled ? main_ : small_).push(entry);
  // The next victims, and after them their slots, will be needed by the next newcomer.
  if (small_.oldest()) __builtin_prefetch(small_.oldest());
  if (main_.oldest()) __builtin_prefetch(main_.oldest());
}

bool memory_shard::erase(std::string_view key, std::uint64_t hash) noexcept {
  auto* entry = index_.find(key, hash);
  if (entry) drop(entry);
  return entry != nullptr;
}

void memory_shard::clear() noexcept {
  while (!small_.empty()) drop(small_.oldest());
  while (!main_.empty()) drop(main_.oldest());
}

shard_counts memory_shard::counts() const {
  auto counts = counts_;
  counts.entries = index_.size();
  counts.bytes = bytes();
  return counts;
}

std::size_t memory_shard::growth() const noexcept {
  return index_.is_full() ? index_.capacity() * bytes_per_slot : 0;
}

void memory_shard::make_room(std::size_t needed, std::int64_t now_ns) noexcept {
  // Evicting may also spare the index its growth: asked again each time.
  while (bytes() + needed + growth() > max_bytes_ && index_.size() > 0) evict_one(now_ns);
}

void memory_shard::evict_one(std::int64_t now_ns) noexcept {
  if (main_.empty() || small_.bytes() > max_bytes_ / small_share) {
    evict_from_small(now_ns);
  } else {
    evict_from_main(now_ns);
  }
}

void memory_shard::evict_from_small(std::int64_t now_ns) noexcept {
  auto* entry = small_.oldest();
  const bool expired = now_ns >= entry->expires_ns;
  if (!expired && entry->uses > 1) {
    small_.remove(entry);
    entry->uses = 0;
    main_.push(entry);
    return;
  }
  ++(expired ? counts_.expired : counts_.evicted);
  if (!expired) ghosts_.add(entry->hash);
  drop(entry);
}

void memory_shard::evict_from_main(std::int64_t now_ns) noexcept {
  auto* entry = main_.oldest();
  for (int i = 0; i < most_second_chances && entry->uses > 0 && now_ns < entry->expires_ns; ++i) {
    --entry->uses;
    main_.remove(entry);
    main_.push(entry);
    entry = main_.oldest();
  }
  ++(now_ns >= entry->expires_ns ? counts_.expired : counts_.evicted);
  drop(entry);
}

void memory_shard::drop(memory_entry* entry) noexcept {
  index_.remove(entry);
  queue_of(*entry).remove(entry);
  memory_entry::destroy(entry);
}

void memory_shard::resize(std::size_t slots) {
  index_.rehash(slots);
  ghosts_.resize(slots);
}

}  // namespace scalekit::cache::detail
