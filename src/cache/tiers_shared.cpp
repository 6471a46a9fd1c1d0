#include "cache/errors.hpp"
#include "cache/tiers.hpp"

#include <map>
#include <utility>

// What the table of tiers does with a shared one. How it all stays in order: shared_tier.cpp.

namespace scalekit::cache::detail {
namespace {

std::vector<std::string> texts_of(std::span<const tiers::wanted> keys) {
  std::vector<std::string> texts;
  texts.reserve(keys.size());
  for (const auto& each : keys) texts.emplace_back(each.key.text);
  return texts;
}

}  // namespace

std::optional<raw_lookup> tiers::find_below(const hashed_key& key, const place& at,
                                            value_port& port, const deadline& until) {
  return look_below(key, at, port, looking::fresh, until);
}

std::optional<raw_lookup> tiers::find_kept_below(const hashed_key& key, const place& at,
                                                 value_port& port, const deadline& until) {
  return look_below(key, at, port, looking::kept, until);
}

std::optional<raw_lookup> tiers::look_below(const hashed_key& key, const place& at,
                                            value_port& port, looking how, const deadline& until) {
  if (!shared_) return look_into_file(key, at, port, how);
  const auto when = ask(at);
  return deliver(key, shared_->find(key.text, until).found, tier::shared, when, port, how);
}

std::optional<raw_lookup> tiers::find_or_claim(const hashed_key& key, value_port& port,
                                               shared_claim& claim, const deadline& until) {
  if (!shared_) return std::nullopt;
  return claim_below(key, port, claim, looking::fresh, until);
}

std::optional<raw_lookup> tiers::peek_below(const hashed_key& key, value_port& port,
                                            shared_claim& claim, const deadline& until) {
  if (shared_) return claim_below(key, port, claim, looking::uncounted, until);
  return look_into_file(key, place_of(key), port, looking::uncounted);
}

std::optional<raw_lookup> tiers::claim_below(const hashed_key& key, value_port& port,
                                             shared_claim& claim, looking how,
                                             const deadline& until) {
  const auto when = ask(place_of(key));
  claim.begun = {when.now_ns, when.token};
  auto look = shared_->claim(key.text, until);
  claim.expected = std::move(look.expected);
  return deliver(key, std::move(look.found), tier::shared, when, port, how);
}

std::vector<tiers::asked> tiers::ask_all(std::span<const wanted> keys) const {
  std::vector<asked> when;
  when.reserve(keys.size());
  for (const auto& each : keys) when.push_back(ask(place_of(each.key)));
  return when;
}

void tiers::deliver_all(std::span<const wanted> keys, std::span<const asked> when,
                        shared_tier::looks& looks) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto& each = keys[i];
    const auto hit = deliver(each.key, std::move(looks[i].found), tier::shared, when[i], *each.port,
                             looking::fresh);
    if (hit) *each.found = *hit;
  }
}

void tiers::find_many_below(std::span<const wanted> keys, const deadline& until) {
  if (keys.empty()) return;
  if (shared_) {
    const auto when = ask_all(keys);
    auto looks = shared_->find_many(texts_of(keys), until);
    return deliver_all(keys, when, looks);
  }
  for (const auto& each : keys) {
    if (const auto hit = find_in_file(each.key, place_of(each.key), *each.port)) *each.found = *hit;
  }
}

// A set moves the fence before and after the server has done it. Where nobody else has moved it in
// between, its value is the last, and goes to memory; of two that overlap, nobody here knows which
// was the last at the server, and neither goes.

tiers::shared_write tiers::begin_put(const hashed_key& key, const kept_value& kept) {
  const auto stripe = place_of(key).stripe;
  return {key, item_of(key, kept), stripe, advance(stripe)};
}

void tiers::end_put(const shared_write& write, const fill_token& end, bool is_kept) {
  if (!memory_) return;
  const fill_token expected{write.begun.epoch, write.begun.generation + 1};
  const bool is_last = is_kept && end == expected;
  if (is_last && memory_->replace(write.item, memory_gate_, write.stripe, end)) return;
  memory_->erase(write.key.text, write.key.hash);
}

/// A batch on its way: what `writes` refers to, and what is sent.
struct tiers::batch_write {
  keyed_values values;
  std::vector<shared_write> writes;
  std::vector<shared_item> items;
  std::vector<std::string> oversized;
  std::optional<error> refusal;
  /// Each stripe is moved once, so that keys of the batch that share one do not cost each other.
  std::map<std::uint32_t, fill_token> begun;
};

void tiers::end_batch(const batch_write& batch, bool is_kept) {
  std::map<std::uint32_t, fill_token> ends;
  for (const auto& [stripe, begun] : batch.begun) ends.emplace(stripe, advance(stripe));
  for (const auto& write : batch.writes) end_put(write, ends.at(write.stripe), is_kept);
}

std::shared_ptr<tiers::batch_write> tiers::begin_batch(keyed_values values, const policy& how) {
  auto batch = std::make_shared<batch_write>();
  batch->values = std::move(values);
  for (const auto& [text, value] : batch->values) {
    const auto key = hashed(text);
    if (value.size() > max_value_bytes_) {
      forget_in_memory(key, place_of(key));
      batch->oversized.push_back(text);
      batch->refusal = too_large(value.size());
      continue;
    }
    const auto kept = kept_of(key, value, how);
    const auto stripe = place_of(key).stripe;
    auto [begun, is_new] = batch->begun.try_emplace(stripe);
    if (is_new) begun->second = advance(stripe);
    batch->writes.push_back({key, item_of(key, kept), stripe, begun->second});
    batch->items.push_back(shared_->item_of(entry_of(key, kept)));
  }
  return batch;
}

void tiers::put_many(keyed_values values, const policy& how, const deadline& until) {
  std::optional<error> refusal;
  if (!shared_) {
    for (const auto& [text, value] : values) {
      try {
        put(hashed(text), value, how, until);
      } catch (const error& e) {
        refusal = e;
      }
    }
  } else {
    const auto batch = begin_batch(std::move(values), how);
    shared_->put(std::move(batch->items), until);
    end_batch(*batch, true);
    refusal = std::move(batch->refusal);
    try {
      if (refusal) shared_->erase(batch->oversized, until);
    } catch (const error& e) {
      refusal = e;
    }
    for (const auto& text : batch->oversized)
      forget_in_memory(hashed(text), place_of(hashed(text)));
  }
  if (refusal) throw *std::move(refusal);
}

void tiers::start_find(std::string text, std::shared_ptr<value_port> port, bool or_stale,
                       const deadline& until, std::stop_token stop, then_found then) {
  const auto when = ask(place_of(hashed(text)));
  const auto how = or_stale ? looking::kept : looking::fresh;
  shared_->start_find(
      text, until, std::move(stop),
      [this, text, port = std::move(port), when, how, then = std::move(then)](shared_look look) {
        then(deliver(hashed(text), std::move(look.found), tier::shared, when, *port, how),
             look.is_cancelled);
      });
}

void tiers::start_find_many(std::vector<wanted> keys, std::shared_ptr<const void> owner,
                            const deadline& until, std::stop_token stop,
                            std::function<void(bool)> then) {
  auto when = ask_all(keys);
  auto texts = texts_of(keys);
  shared_->start_find_many(
      std::move(texts), until, std::move(stop),
      [this, keys = std::move(keys), when = std::move(when), owner = std::move(owner),
       then = std::move(then)](shared_tier::looks looks) {
        const bool is_cancelled = looks.front().is_cancelled;
        deliver_all(keys, when, looks);
        then(is_cancelled);
      });
}

void tiers::start_find_or_claim(std::string text, std::shared_ptr<value_port> port,
                                shared_claim& claim, const deadline& until,
                                std::function<void(std::optional<raw_lookup>)> then) {
  const auto when = ask(place_of(hashed(text)));
  claim.begun = {when.now_ns, when.token};
  shared_->start_claim(
      text, until,
      [this, text, port = std::move(port), when, &claim, then = std::move(then)](shared_look look) {
        claim.expected = std::move(look.expected);
        then(deliver(hashed(text), std::move(look.found), tier::shared, when, *port,
                     looking::fresh));
      });
}

/// A fill that the shared tier has yet to answer: what its item points into.
struct tiers::late_fill {
  std::string text;
  std::shared_ptr<const std::string> value;
  place at;
  fill_token token;
  shared_claim claim;
  memory_item item = {};
};

void tiers::start_fill(std::string text, std::shared_ptr<const std::string> value,
                       const policy& how, const fill_token& token, const shared_claim& claim,
                       const deadline& until, std::function<void()> then) {
  const auto at = place_of(hashed(text));
  auto one =
      std::make_shared<late_fill>(late_fill{std::move(text), std::move(value), at, token, claim});
  const auto key = hashed(one->text);
  const auto kept = kept_of_load(key, one->value.get(), how);
  if (!kept) return then();
  one->item = item_of(key, *kept);
  if (claim.expected.empty() || token_of(at) != token) {
    end_fill(one->item, at, token, claim.begun.memory, claim, shared_fill::failed);
    return then();
  }
  shared_->start_fill(entry_of(key, *kept), claim.expected, until,
                      [this, one, memory_token = memory_gate_.current(at.stripe),
                       then = std::move(then)](shared_fill done) {
                        end_fill(one->item, one->at, one->token, memory_token, one->claim, done);
                        then();
                      });
}

void tiers::start_put_many(keyed_values values, const policy& how, const deadline& until,
                           std::stop_token stop, then_done then) {
  auto batch = begin_batch(std::move(values), how);
  auto put = [this, batch, until, stop, then = std::move(then)] {
    if (batch->items.empty()) return then(batch->refusal);
    shared_->start_put(std::move(batch->items), until, stop,
                       [this, batch, then](std::vector<bool>, bool is_cancelled) {
                         end_batch(*batch, !is_cancelled);
                         then(is_cancelled ? cancelled_error() : batch->refusal);
                       });
  };
  if (batch->oversized.empty()) return put();
  shared_->start_erase(batch->oversized, until, stop,
                       [this, batch, put = std::move(put)](std::optional<error> failure) {
                         for (const auto& text : batch->oversized) {
                           forget_in_memory(hashed(text), place_of(hashed(text)));
                         }
                         if (failure) batch->refusal = std::move(failure);
                         put();
                       });
}

void tiers::start_erase(std::string text, const deadline& until, std::stop_token stop,
                        then_done then) {
  forget_in_memory(hashed(text), place_of(hashed(text)));
  shared_->start_erase({text}, until, std::move(stop),
                       [this, text, then = std::move(then)](std::optional<error> failure) {
                         forget_in_memory(hashed(text), place_of(hashed(text)));
                         then(std::move(failure));
                       });
}

void tiers::start_clear(const deadline& until, std::stop_token stop, then_done then) {
  forget_all_in_memory();
  shared_->start_clear(until, std::move(stop),
                       [this, then = std::move(then)](std::optional<error> failure) {
                         forget_all_in_memory();
                         then(std::move(failure));
                       });
}

void tiers::add_shared_to(statistics& sum) const {
  const auto& counted = shared_->counted();
  const auto& line = shared_->line();
  sum.shared.expired = counted.expired.value();
  sum.shared.corrupt = counted.corrupt.value();
  sum.shared.read_errors = line.counted().read_errors.value();
  sum.shared.write_errors = line.counted().write_errors.value();
  sum.shared.paused = line.counted().paused.value();
  sum.shared.breaker = line.breaker();
  sum.shared.owed_erasures = line.owed().size();
  sum.shared.state = shared_->way().state();
  sum.shared.hears_changes = ear_ && ear_->is_listening();
  sum.shared.changes_heard = changes_heard_.value();
  sum.shared.changes_missed = changes_missed_.value();
  sum.shared.fallback_hits = counted.found_aside.value();
  if (const auto* fallback = shared_->way().fallback()) {
    const auto aside = fallback->counted();
    sum.shared.fallback_bytes = aside.bytes;
    sum.shared.fallback_errors = aside.errors;
  }
  sum.shared.owes_everything = line.owed().owes_everything();
}

}  // namespace scalekit::cache::detail
