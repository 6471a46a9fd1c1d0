#include "cache/memory_shard.hpp"

#include <algorithm>
#include <limits>
#include <memory>

namespace scalekit::cache::detail {
namespace {

constexpr int most_chunks_at_once = 128;
constexpr std::size_t retired_part = 64;

timer_wheel::tick wheel_time(std::int64_t ns) noexcept {
  return static_cast<timer_wheel::tick>(
      std::clamp<std::int64_t>(memory_shard::tick_of(ns), 0, timer_wheel::never - 1));
}

/// The first tick at which an entry is kept no longer, for certain.
timer_wheel::tick due(const memory_entry& entry) noexcept {
  return std::min(wheel_time(entry.kept_until.ns()) + 1, timer_wheel::never - 1);
}

struct reference_dropper {
  void operator()(memory_entry* entry) const noexcept { entry->drop_reference(); }
};

}  // namespace

memory_shard::memory_shard(std::size_t max_bytes, reader_gate& gate, std::uint64_t seed)
    : max_bytes_(max_bytes),
      most_retired_(max_bytes / retired_part),
      wheel_(index_.chunks(), 0),
      policy_(max_bytes, entry_index::room(index_.chunks()), seed),
      retired_(gate) {}

memory_shard::~memory_shard() {
  for (std::size_t i = 0; i < index_.chunks(); ++i) {
    index_.for_each_in(static_cast<std::uint32_t>(i),
                       [](memory_entry* entry) { entry->drop_reference(); });
  }
}

bool memory_shard::put(const memory_item& item) {
  const auto needed = memory_entry::footprint(item.key.size(), item.value.size());
  if (needed > max_bytes_ / 2) {
    ++counts_.oversized;
    erase(item.key, item.hash);
    return false;
  }
  std::unique_ptr<memory_entry, reference_dropper> made;
  try {
    if (index_.is_sparse()) resize(index_.smaller());
    make_room(needed, item.stored_ns);
    if (index_.is_full()) resize(index_.larger());
    made.reset(memory_entry::make(item));
  } catch (...) {
    erase(item.key, item.hash);
    throw;
  }
  auto* entry = made.release();
  std::uint32_t chunk = 0;
  if (auto* old = index_.find(item.key, item.hash)) {
    chunk = index_.replace(old, entry);
    policy_.replace(old, entry);
    retired_.add(old);
  } else {
    chunk = index_.add(entry, item.hash);
    policy_.add(entry, index_.size());
  }
  wheel_.set(chunk, due(*entry));
  tidy();
  return true;
}

bool memory_shard::erase(std::string_view key, std::uint64_t hash) noexcept {
  auto* entry = index_.find(key, hash);
  if (!entry) return false;
  drop(entry);
  tidy();
  return true;
}

void memory_shard::clear() noexcept {
  for (std::size_t i = 0; i < index_.chunks(); ++i) {
    index_.for_each_in(static_cast<std::uint32_t>(i), [&](memory_entry* entry) { drop(entry); });
  }
  tidy();
}

bool memory_shard::advance(std::int64_t now_ns) noexcept {
  const bool done = wheel_.advance(wheel_time(now_ns), most_chunks_at_once, [&](auto chunk) {
    auto next = timer_wheel::never;
    index_.for_each_in(chunk, [&](memory_entry* entry) {
      if (now_ns < entry->kept_until.ns()) {
        next = std::min(next, due(*entry));
        return;
      }
      ++counts_.expired;
      drop(entry);
    });
    return next;
  });
  tidy();
  return done;
}

shard_counts memory_shard::counts() const noexcept {
  auto counts = counts_;
  counts.entries = index_.size();
  counts.bytes = bytes();
  return counts;
}

std::size_t memory_shard::table_bytes() const noexcept {
  return sizeof *this + index_.bytes() + wheel_.bytes() + policy_.bytes() + policy_.entry_bytes();
}

std::size_t memory_shard::growth() const noexcept {
  if (!index_.is_full()) return 0;
  constexpr auto chunk = entry_index::chunk_bytes + timer_wheel::timer_bytes;
  const auto more = index_.larger();
  return (more - index_.chunks()) * chunk + policy_.bytes_for(entry_index::room(more)) -
         policy_.bytes();
}

void memory_shard::make_room(std::size_t needed, std::int64_t now_ns) noexcept {
  // Evicting may also spare the index its growth: asked again each time.
  while (table_bytes() + needed + growth() > max_bytes_ - most_retired_ && index_.size() > 0) {
    auto* victim = policy_.victim(needed);
    ++(now_ns < victim->kept_until.ns() ? counts_.evicted : counts_.expired);
    drop(victim);
  }
}

void memory_shard::resize(std::size_t chunks) {
  timer_wheel wheel(chunks, wheel_.now());
  policy_.resize(entry_index::room(chunks));
  const auto old = index_.resize(chunks, [&](const memory_entry* entry, std::uint32_t chunk) {
    wheel.set(chunk, due(*entry));
  });
  wheel_ = std::move(wheel);
  retired_.wait_for_readers();
}

void memory_shard::drop(memory_entry* entry) noexcept {
  index_.remove(entry);
  policy_.remove(entry);
  retired_.add(entry);
}

}  // namespace scalekit::cache::detail
