#include "db/classify/proof_book.hpp"

#include <algorithm>
#include <utility>

namespace scalekit::db::detail {

proof_book::proof_book(proof_book_limits limits) : limits_(limits) {}

proof_book::shard& proof_book::shard_of(const hashed_text& key) noexcept {
  // The map of the shard divides by a prime; other bits than the lowest, all the same.
  return shards_[(key.hash >> 16) % shards_.size()];
}

proof_book::entry* proof_book::find(shard& s, const hashed_text& key) {
  const auto found = s.by_key.find(key);
  if (found == s.by_key.end()) return nullptr;
  if (found->second != s.order.begin()) s.order.splice(s.order.begin(), s.order, found->second);
  return &*found->second;
}

proof_book::entry& proof_book::find_or_add(shard& s, const hashed_text& key) {
  if (auto* known = find(s, key)) return *known;
  const auto most = std::max<std::size_t>(1, limits_.max_statements / shards_.size());
  if (s.order.size() >= most) {
    s.by_key.erase(hashed_text(s.order.back().key));
    s.order.pop_back();
  }
  s.order.emplace_front().key = key.text;
  s.by_key.emplace(hashed_text(s.order.front().key), s.order.begin());
  return s.order.front();
}

bool proof_book::wants_proof(const entry& e, time_point now) const {
  if (!e.speed.is_fast()) return false;
  if (e.proving && now - e.proving_since < limits_.prover_patience) return false;
  const auto from = e.what == state::proven ? e.until - limits_.proof_ttl / 5 : e.until;
  return now >= from;
}

lane_admission proof_book::admit(const hashed_text& key, time_point now) {
  if (key.text.size() > limits_.longest_text) return {};
  auto& s = shard_of(key);
  std::lock_guard lock(s.mutex);
  auto& e = find_or_add(s, key);
  lane_admission found;
  found.share = e.what == state::proven && now < e.until && e.speed.is_fast();
  found.prove = wants_proof(e, now);
  if (found.prove) {
    e.proving = true;
    e.proving_since = now;
    ++s.proofs_started;
  }
  return found;
}

void proof_book::ran(const hashed_text& key, std::chrono::nanoseconds took) {
  if (key.text.size() > limits_.longest_text) return;
  auto& s = shard_of(key);
  std::lock_guard lock(s.mutex);
  if (auto* e = find(s, key)) e->speed.record(took, limits_.slow_bound);
}

void proof_book::settle(std::string_view key, time_point started, state what, std::string reason,
                        time_point until) {
  const hashed_text k(key);
  auto& s = shard_of(k);
  std::lock_guard lock(s.mutex);
  auto* e = find(s, k);
  if (e == nullptr || !e->proving || e->proving_since != started) return;
  e->proving = false;
  e->until = until;
  e->what = what;
  e->reason = std::move(reason);
}

void proof_book::proven(std::string_view key, time_point started, time_point now) {
  // What it saw may be as old as its beginning.
  settle(key, started, state::proven, {}, std::min(started, now) + limits_.proof_ttl);
}

void proof_book::refused(std::string_view key, std::string reason, time_point started,
                         time_point now) {
  settle(key, started, state::refused, std::move(reason), now + limits_.proof_ttl);
}

void proof_book::abandoned(std::string_view key, time_point started, time_point now) {
  const hashed_text k(key);
  auto& s = shard_of(k);
  std::lock_guard lock(s.mutex);
  auto* e = find(s, k);
  if (e == nullptr || !e->proving || e->proving_since != started) return;
  e->proving = false;
  // A proof that still holds is asked for again when `until` comes; nothing is lost by that.
  if (e->what == state::proven && now < e->until) return;
  e->what = state::unproven;
  e->until = now + limits_.retry_after;
}

void proof_book::disproved(std::string_view key, std::string reason, time_point now) {
  if (key.size() > limits_.longest_text) return;
  const hashed_text k(key);
  auto& s = shard_of(k);
  std::lock_guard lock(s.mutex);
  auto& e = find_or_add(s, k);
  e.proving = false;
  e.what = state::refused;
  e.until = now + limits_.proof_ttl;
  e.reason = std::move(reason);
}

void proof_book::clear() {
  for (auto& s : shards_) {
    std::lock_guard lock(s.mutex);
    for (auto& e : s.order) {
      e.what = state::unproven;
      e.until = {};
      e.proving = false;
      e.reason.clear();
    }
  }
}

proof_book::statistics proof_book::stats(time_point now) const {
  statistics sum;
  for (const auto& s : shards_) {
    std::lock_guard lock(s.mutex);
    sum.statements += s.order.size();
    sum.proofs_started += s.proofs_started;
    for (const auto& e : s.order) {
      const bool holds = e.what != state::unproven && now < e.until;
      if (!holds) {
        ++sum.unproven;
      } else if (e.what == state::refused) {
        ++sum.refused;
      } else {
        ++(e.speed.is_fast() ? sum.proven : sum.slow);
      }
    }
  }
  return sum;
}

std::vector<proof_book::refusal> proof_book::refusals(std::size_t most, time_point now) const {
  std::vector<refusal> found;
  for (const auto& s : shards_) {
    std::lock_guard lock(s.mutex);
    for (const auto& e : s.order) {
      if (found.size() >= most) return found;
      if (e.what == state::refused && now < e.until) found.push_back({e.key, e.reason});
    }
  }
  return found;
}

}  // namespace scalekit::db::detail
