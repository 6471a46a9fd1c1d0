#include "cache/tiers.hpp"

#include "cache/errors.hpp"
#include "cache/expiry.hpp"
#include "cache/fallback_files.hpp"
#include "cache/hash.hpp"
#include "cache/shared_url.hpp"
#include "scalekit/core/error.hpp"
#include "scalekit/core/random.hpp"

#include <algorithm>

namespace scalekit::cache::detail {
namespace {

std::chrono::milliseconds in_milliseconds(std::chrono::nanoseconds d) noexcept {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d);
}

raw_lookup hit_in_memory(const memory_found& found) noexcept {
  return {found.freshness, tier::memory, in_milliseconds(std::chrono::nanoseconds(found.age_ns)),
          in_milliseconds(std::chrono::nanoseconds(found.left_ns))};
}

std::unique_ptr<memory_tier> make_memory(const memory_params& params, std::uint64_t seed) {
  return params.max_bytes ? std::make_unique<memory_tier>(params, seed) : nullptr;
}

std::unique_ptr<file_tier> make_file(const store_params& params) {
  if (params.file.directory.empty()) return nullptr;
  return std::make_unique<file_tier>(params);
}

std::unique_ptr<shared_tier> make_shared_tier(const store_params& params) {
  if (params.shared.empty()) return nullptr;
  auto fallback =
      params.fallback.directory.empty() ? nullptr : std::make_unique<fallback_files>(params);
  return std::make_unique<shared_tier>(open_driver(params), params, std::move(fallback));
}

}  // namespace

tiers::tiers(const store_params& params)
    : tiers(params, make_shared_tier(params), [&](change_ear::listener to) {
        return params.shared_coherence ? open_ear(params, std::move(to)) : nullptr;
      }) {}

tiers::tiers(const store_params& params, std::unique_ptr<shared_tier> shared,
             const ear_maker& make_ear)
    : clock_(*params.clock),
      time_(*params.clock),
      max_value_bytes_(params.max_value_bytes),
      hash_seed_(params.seed ? params.seed : random_generator::random_seed()),
      memory_(make_memory(params.memory, hash_seed_)),
      file_(make_file(params)),
      shared_(std::move(shared)),
      gate_(file_ ? file_->gate() : own_gate_),
      memory_gate_(shared_ ? own_memory_gate_.emplace() : gate_),
      max_memory_bytes_(params.memory.max_bytes),
      max_file_bytes_(params.file.max_bytes) {
  if (!memory_ || !shared_ || !make_ear) return;
  ear_ = make_ear({.on_change = [this](std::string_view key) { hear_change(key); },
                   .on_anything = [this] { hear_anything(); }});
}

hashed_key tiers::hashed(std::string_view key) const noexcept {
  return {key, key_hash(key, hash_seed_)};
}

tiers::place tiers::place_of(const hashed_key& key) const {
  if (file_) return place(key.text);
  return place(static_cast<std::uint32_t>(key.hash >> 32) % fence::stripes);
}

fill_token tiers::token_of(const place& at) const noexcept {
  return gate_.current(at.stripe);
}

template <bool or_stale>
std::optional<raw_lookup> tiers::look_into_memory(const hashed_key& key, value_port& port) {
  if (!memory_) return std::nullopt;
  memory_found found;
  const auto now = time_.now_ns();
  if (auto* buffer = port.buffer()) {
    found = or_stale ? memory_->find_kept(key.text, key.hash, now, *buffer)
                     : memory_->find(key.text, key.hash, now, *buffer);
  } else {
    pinned_bytes bytes;
    found = or_stale ? memory_->pin_kept(key.text, key.hash, now, bytes)
                     : memory_->pin(key.text, key.hash, now, bytes);
    const bool is_fresh = found.freshness == freshness::fresh;
    const bool has_value = is_fresh || (or_stale && found.freshness == freshness::stale);
    if (has_value && !port.accept(std::move(bytes))) {
      if (is_fresh) undecodable_in_memory_.add();
      forget_undecodable(key);
      return std::nullopt;
    }
  }
  if (found.freshness == freshness::miss) return std::nullopt;
  return hit_in_memory(found);
}

std::optional<raw_lookup> tiers::find_in_memory(const hashed_key& key, value_port& port) {
  return look_into_memory<false>(key, port);
}

std::optional<raw_lookup> tiers::find_kept_in_memory(const hashed_key& key, value_port& port) {
  return look_into_memory<true>(key, port);
}

std::optional<raw_lookup> tiers::find_in_file(const hashed_key& key, const place& at,
                                              value_port& port) {
  return look_into_file(key, at, port, looking::fresh);
}

std::optional<raw_lookup> tiers::look_into_file(const hashed_key& key, const place& at,
                                                value_port& port, looking how) {
  if (!file_) return std::nullopt;
  const auto when = ask(at);
  return deliver(key, file_->find(key.text, *at.file), tier::file, when, port, how);
}

std::optional<raw_lookup> tiers::deliver(const hashed_key& key, std::optional<file_found>&& found,
                                         tier from, const asked& when, value_port& port,
                                         looking how) {
  if (!found) return std::nullopt;
  const bool is_stale = found->left.fresh.count() <= 0;
  if (is_stale && (how != looking::kept || found->negative)) return std::nullopt;
  const auto type = types_.number(found->type);
  raw_lookup hit{freshness::fresh, from, in_milliseconds(found->age),
                 in_milliseconds(found->left.fresh)};
  if (is_stale) hit.freshness = freshness::stale;
  if (found->negative) hit.freshness = freshness::negative;
  promote(key, *found, type, when);
  if (!found->negative && !port.accept(std::move(found->value))) {
    forget_undecodable(key);
    return std::nullopt;
  }
  if (is_stale || how == looking::uncounted) return hit;
  auto& row = types_[type];
  if (from == tier::file) {
    (found->negative ? row.file_negative : row.file_hits).add();
  } else {
    (found->negative ? row.shared_negative : row.shared_hits).add();
  }
  return hit;
}

std::optional<raw_lookup> tiers::peek_into_memory(const hashed_key& key, value_port& port) {
  if (!memory_) return std::nullopt;
  std::string bytes;
  const auto found = memory_->peek(key.text, key.hash, time_.now_ns(), bytes);
  if (found.freshness == freshness::miss) return std::nullopt;
  if (found.freshness == freshness::fresh && !port.accept(std::move(bytes))) return std::nullopt;
  return hit_in_memory(found);
}

void tiers::promote(const hashed_key& key, const file_found& found, std::uint8_t type,
                    const asked& when) {
  if (!memory_) return;
  const auto now = when.now_ns;
  const std::chrono::nanoseconds age = found.age;
  const std::chrono::nanoseconds left = in_memory(found.left.fresh, found.memory_ttl);
  const std::chrono::nanoseconds kept = in_memory(found.left.kept, found.memory_ttl);
  memory_->tend(now);
  memory_->fill({key.text, key.hash, found.value, now - age.count(), now + left.count(), type,
                 found.negative, (kept - left).count()},
                memory_gate_, when.stripe, when.token);
}

std::chrono::microseconds tiers::draw(const hashed_key& key, std::chrono::milliseconds ttl,
                                      const policy& how) const {
  // By key and time: a generator for all would be a place that every writer writes to.
  random_generator random(key.hash ^ static_cast<std::uint64_t>(time_.now_ns()));
  return jittered(ttl, how.jitter, random.uniform());
}

memory_item tiers::item_of(const hashed_key& key, const kept_value& kept) {
  const auto now = time_.now_ns();
  const std::chrono::nanoseconds life = in_memory(kept.life.ttl, kept.how->memory_ttl);
  const std::chrono::nanoseconds all = in_memory(kept.life.kept, kept.how->memory_ttl);
  return {key.text,           key.hash,
          kept.bytes,         now,
          now + life.count(), types_.number(kept.how->type),
          kept.negative,      (all - life).count()};
}

file_entry tiers::entry_of(const hashed_key& key, const kept_value& kept) const {
  file_entry entry;
  entry.type = kept.how->type;
  entry.key = key.text;
  entry.value = kept.bytes;
  entry.negative = kept.negative;
  entry.created_us = to_micros(clock_.wall_now());
  entry.fresh_until_us = entry.created_us + kept.life.ttl.count();
  entry.expires_us = entry.created_us + kept.life.kept.count();
  entry.memory_ttl_us = std::chrono::microseconds(kept.how->memory_ttl).count();
  return entry;
}

error tiers::too_large(std::size_t size) const {
  return {errc::too_large, "a value of " + std::to_string(size) +
                               " bytes; store_params.max_value_bytes is " +
                               std::to_string(max_value_bytes_)};
}

tiers::kept_value tiers::kept_of(const hashed_key& key, std::string_view value,
                                 const policy& how) const {
  const auto ttl = draw(key, how.ttl, how);
  return {value, &how, {ttl, ttl + how.stale_for}, false};
}

void tiers::put(const hashed_key& key, std::string_view value, const policy& how,
                const deadline& until) {
  if (value.size() > max_value_bytes_) {
    erase(key, until);
    throw too_large(value.size());
  }
  const auto at = place_of(key);
  const auto kept = kept_of(key, value, how);
  if (shared_) {
    const auto write = begin_put(key, kept);
    shared_->put({shared_->item_of(entry_of(key, kept))}, until);
    end_put(write, advance(write.stripe), true);
    return;
  }
  if (file_) {
    put_in_both(key, kept, at, until);
    return;
  }
  memory_->put(item_of(key, kept), gate_, at.stripe);
}

void tiers::put_in_both(const hashed_key& key, const kept_value& kept, const place& at,
                        const deadline& until) {
  try {
    const auto turn = file_->turn(at.stripe, until);
    if (!turn) throw writers_error();
    const auto written = file_->replace(entry_of(key, kept), *at.file, until);
    if (memory_ && !memory_->replace(item_of(key, kept), gate_, at.stripe, written.token)) {
      memory_->erase(key.text, key.hash);
    }
  } catch (...) {
    file_->bury(at.stripe);
    if (memory_) memory_->erase(key.text, key.hash);
    throw;
  }
}

std::optional<tiers::kept_value> tiers::kept_of_load(const hashed_key& key,
                                                     const std::string* value,
                                                     const policy& how) const {
  const auto ttl = value ? how.ttl : how.negative_ttl;
  const bool keeps = ttl.count() > 0 && !(value && value->size() > max_value_bytes_);
  const bool older_is_kept = how.stale_for.count() > 0 || how.refresh_ahead > 0;
  if (!keeps && !older_is_kept) return std::nullopt;
  // What is not kept takes the place of what is older as an entry that is dead at once: that, too,
  // loses to a set or an erase.
  kept_value kept{{}, &how, {}, true};
  if (keeps) kept.life.ttl = kept.life.kept = draw(key, ttl, how);
  if (keeps && value) {
    kept.bytes = *value;
    kept.negative = false;
    kept.life.kept += how.stale_for;
  }
  return kept;
}

bool tiers::fill(const hashed_key& key, const std::string* value, const policy& how,
                 const fill_token& token, const shared_claim& claim, const deadline& until) {
  const auto kept = kept_of_load(key, value, how);
  if (!kept) return true;
  const auto at = place_of(key);
  auto item = item_of(key, *kept);
  const bool current = token_of(at) == token;
  // Later than the load's own claim was heard of, unless it was quick.
  const auto memory_token = shared_ ? memory_gate_.current(at.stripe) : token;
  std::optional<shared_fill> done;
  if (shared_ && current) done = shared_->fill(entry_of(key, *kept), claim.expected, until);
  if (file_ && current) {
    if (const auto turn = file_->turn(at.stripe, until)) {
      auto entry = entry_of(key, *kept);
      entry.token = token;
      if (file_->fill(entry, *at.file, until).fenced) done = shared_fill::fenced;
    }
  }
  return end_fill(item, at, token, memory_token, claim, done);
}

/// `memory_token`: of when it was begun to keep it. `done`: what came of it below memory, where
/// that was asked.
bool tiers::end_fill(memory_item& item, const place& at, const fill_token& token,
                     const fill_token& memory_token, const shared_claim& claim,
                     std::optional<shared_fill> done) {
  // Nothing below memory knows what others have changed meanwhile.
  const bool is_alone = done == shared_fill::failed || done == shared_fill::stored_aside;
  if (is_alone) item.expires_ns -= item.stored_ns - claim.begun.ns;
  const auto& known = is_alone ? claim.begun.memory : memory_token;
  bool is_current = done != shared_fill::fenced && token_of(at) == token;
  if (is_current && memory_ && !memory_->fill(item, memory_gate_, at.stripe, known)) {
    // It was changed here, or that was but heard of, be it this very fill: it is read again.
    is_current = token_of(at) == token;
  }
  if (!is_current) fenced_.add();
  return is_current;
}

void tiers::erase(const hashed_key& key, const deadline& until) {
  const auto at = place_of(key);
  if (shared_) {
    forget_in_memory(key, at);
    try {
      shared_->erase({std::string(key.text)}, until);
    } catch (...) {
      forget_in_memory(key, at);
      throw;
    }
    // Once more: who read the server before it was gone there does not bring it back.
    forget_in_memory(key, at);
    return;
  }
  if (!file_) {
    advance(at.stripe);
  } else if (const auto turn = file_->turn(at.stripe, until)) {
    file_->erase(*at.file, until);
  } else {
    file_->bury(at.stripe);
  }
  if (memory_) memory_->erase(key.text, key.hash);
}

void tiers::forget(const hashed_key& key) {
  const auto at = place_of(key);
  // Owed first: who takes a token after the fence has moved asks what is owed.
  if (shared_) shared_->owe(key.text);
  if (file_) {
    file_->bury(at.stripe);
    if (memory_) memory_->erase(key.text, key.hash);
  } else {
    forget_in_memory(key, at);
  }
}

/// Of both fences; returns memory's token.
fill_token tiers::advance(std::uint32_t stripe) noexcept {
  const auto token = gate_.advance(stripe);
  return &memory_gate_ == &gate_ ? token : memory_gate_.advance(stripe);
}

void tiers::hear_change(std::string_view text) {
  changes_heard_.add();
  const auto key = hashed(text);
  memory_gate_.advance(place_of(key).stripe);
  memory_->erase(key.text, key.hash);
}

void tiers::hear_anything() noexcept {
  changes_missed_.add();
  memory_gate_.advance_epoch();
  memory_->clear();
}

void tiers::forget_in_memory(const hashed_key& key, const place& at) {
  advance(at.stripe);
  if (memory_) memory_->erase(key.text, key.hash);
}

void tiers::forget_undecodable(const hashed_key& key) {
  undecodable_.add();
  if (shared_) {
    forget(key);
  } else {
    erase(key, deadline::after(std::chrono::seconds(1)));
  }
}

void tiers::clear(const deadline& until) {
  forget_all_in_memory();
  if (!shared_) return;
  try {
    shared_->clear(until);
  } catch (...) {
    forget_all_in_memory();
    throw;
  }
  forget_all_in_memory();
}

void tiers::forget_all_in_memory() noexcept {
  gate_.advance_epoch();
  if (&memory_gate_ != &gate_) memory_gate_.advance_epoch();
  if (memory_) memory_->clear();
}

void tiers::add_to(statistics& sum) {
  sum.fenced_fills += fenced_.value();
  sum.undecodable += undecodable_.value();
  const auto memory = memory_ ? memory_->counts(time_.now_ns()) : shard_counts{};
  const auto found = memory_ ? memory_->hits() : hit_counts{};
  for (std::size_t i = 0; i < types_.size(); ++i) {
    auto& row = types_[i];
    sum.memory_hits += found.hits[i];
    sum.file_hits += row.file_hits.value();
    sum.shared_hits += row.shared_hits.value();
    const auto negative =
        found.negative[i] + row.file_negative.value() + row.shared_negative.value();
    sum.negative_hits += negative;
    sum.loads_failed += row.load_failures.value();
    // Before the misses, of which they are a part.
    const auto answered = row.answered_misses.value();
    sum.types.push_back({row.name, found.hits[i] + row.file_hits.value() + row.shared_hits.value(),
                         negative, std::max(row.misses.value(), answered) - answered,
                         row.loads.value(), row.load_failures.value(), row.stale.value(),
                         row.refreshes.value()});
  }
  // The tier had counted them before the codec refused them.
  sum.memory_hits -= undecodable_in_memory_.value();
  sum.memory = {memory.entries, memory.bytes,   max_memory_bytes_,
                memory.evicted, memory.expired, memory.oversized};
  if (shared_) add_shared_to(sum);
  if (!file_) return;
  const auto& counted = file_->counted();
  const auto& directory = file_->directory();
  const auto& shared = directory.table().shared();
  auto positive = [](std::int64_t n) { return static_cast<std::uint64_t>(n > 0 ? n : 0); };
  sum.file = {positive(shared.entries),    positive(shared.bytes),       max_file_bytes_,
              directory.evicted(),         counted.expired.value(),      counted.corrupt.value(),
              counted.read_errors.value(), counted.write_errors.value(), counted.paused.value(),
              directory.orphans()};
}

}  // namespace scalekit::cache::detail
