#include "cache/shared_tier.hpp"

#include "cache/expiry.hpp"
#include "cache/shared_frame.hpp"

#include <algorithm>
#include <utility>
#include <variant>

// How a load, a change and a fill stay in order, with any number of processes.
//
// A load begins with a claim: where no value is, a placeholder with a random token is put, in one
// step with having found none; who finds a placeholder holds its token too. A fill stores its value
// only where that very placeholder stands, in one step. put and erase take it away. Where a value
// is that is to be refreshed, or is of no use any more, it stays, and does what a placeholder does:
// a fill replaces that very value. So, of a fill F and a change C (put, erase, clear) of any
// process, at the server:
// - C before F's claim: the load began after C, and what it read is newer than C.
// - claim, C, F: the placeholder has gone, or is another's with another token, and F is refused.
//   clear() leaves it where it is, but in a dead epoch, which F compares.
// - claim, F, C: C replaces or removes what F stored.
// A placeholder that ran out, was evicted, or was lost with the server makes F fail: a value less.
// Two loads that hold one token: the first fill is stored, the second refused.
//
// In memory of a process: what a lookup found, and what a fill stored here, goes up only if
// memory's fence did not move since before the server was asked. Changes of this process move it
// after the server has done them, so that nothing older goes up after them. So does what is heard
// of changes on the server, where that is: what was read before a change and is still on its way
// when that is heard does not go up, and what went up before is erased by it. Where nothing is
// heard, what others erase at the server's time t may be read before t and go up shortly after it,
// to live there for memory_ttl, which is counted from before the server was asked. So memory is
// stale by at most memory_ttl there.
//
// While the server cannot be asked, loads go to memory alone, and their memory_ttl counts from the
// beginning of the load: a change by another process during the load is not heard of.
//
// What remains: a put that was given up (commit_in_doubt) may be run by a server that stood still
// after what came later. It is owed, so this process erases it before it reads there; for other
// processes it lives for its ttl at most.

namespace scalekit::cache::detail {
namespace {

/// What is found to be foreign in the first is erased before the second.
constexpr int claim_rounds = 2;

shared_fill fill_of(const shared_result& result) {
  if (result.failure) return shared_fill::failed;
  if (!result.answer.stored.at(0)) return shared_fill::fenced;
  return result.is_aside ? shared_fill::stored_aside : shared_fill::stored;
}

}  // namespace

shared_tier::shared_tier(std::unique_ptr<shared_driver> driver, const store_params& params,
                         std::unique_ptr<fallback_store> fallback)
    : way_(std::move(driver), std::move(fallback), params),
      fallback_ttl_(params.fallback.ttl),
      format_(params),
      clock_(*params.clock),
      log_(params.log) {}

shared_look shared_tier::look_of(std::string_view key, std::optional<std::string>& bytes,
                                 bool is_aside) {
  shared_look look;
  if (!bytes) return look;
  const auto frame = parse_frame(*bytes);
  look.expected = identity_of(*bytes);
  if (frame.kind == frame_kind::placeholder) return look;
  auto parsed = frame.kind == frame_kind::value
                    ? format_.parse(frame.entry)
                    : std::variant<file_entry, file_fault>(file_fault::foreign);
  if (const auto* fault = std::get_if<file_fault>(&parsed)) {
    note_damage(*fault);
    if (look.expected.empty()) way_.owe(key);
    return look;
  }
  const auto& entry = std::get<file_entry>(parsed);
  // Two keys with one hash, where the server takes hashes only.
  if (entry.key != key) return look;
  const auto now = to_micros(clock_.wall_now());
  auto left = left_to_live(entry.created_us, entry.fresh_until_us, entry.expires_us, now);
  if (is_aside) {
    left.fresh = std::min(left.fresh, fallback_ttl_);
    left.kept = std::min(left.kept, fallback_ttl_);
  }
  if (left.kept.count() == 0) {
    counts_.expired.add();
    return look;
  }
  auto found = found_in(entry, left, now);
  if (const auto fault = format_.unpack(*bytes, entry)) {
    note_damage(*fault);
    return look;
  }
  found.value = *std::move(bytes);
  if (is_aside) counts_.found_aside.add();
  look.found = std::move(found);
  return look;
}

void shared_tier::note_damage(file_fault fault) {
  counts_.corrupt.add();
  log_(log_level::warning, "cache.shared.damaged", "an entry of the cache's server is damaged",
       {{"server.address", line().server()}, {"fault", to_string(fault)}});
}

shared_tier::looks shared_tier::looks_of(const std::vector<std::string>& keys,
                                         shared_result& result) {
  looks all(keys.size());
  const bool cancelled = result.failure && result.failure->code() == errc::cancelled;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (i < result.answer.found.size()) {
      all[i] = look_of(keys[i], result.answer.found[i], result.is_aside);
    }
    all[i].is_cancelled = cancelled;
  }
  return all;
}

shared_look shared_tier::find(std::string_view key, const deadline& until) {
  return std::move(find_many({std::string(key)}, until).front());
}

shared_tier::looks shared_tier::find_many(const std::vector<std::string>& keys,
                                          const deadline& until) {
  auto result = way_.run({.verb = shared_verb::find, .keys = keys}, until);
  return looks_of(keys, result);
}

void shared_tier::start_find(std::string_view key, const deadline& until, std::stop_token stop,
                             std::function<void(shared_look)> then) {
  start_find_many({std::string(key)}, until, std::move(stop),
                  [then = std::move(then)](looks all) { then(std::move(all.front())); });
}

void shared_tier::start_find_many(std::vector<std::string> keys, const deadline& until,
                                  std::stop_token stop, std::function<void(looks)> then) {
  shared_request what{.verb = shared_verb::find, .keys = keys};
  way_.start(std::move(what), until, std::move(stop),
             [this, keys = std::move(keys), then = std::move(then)](shared_result result) {
               then(looks_of(keys, result));
             });
}

std::optional<shared_look> shared_tier::claim_of(const std::string& key, shared_result result) {
  if (result.failure || result.answer.found.empty() || !result.answer.found[0]) {
    return shared_look{};
  }
  auto look = look_of(key, result.answer.found[0], result.is_aside);
  if (!look.found && look.expected.empty()) return std::nullopt;
  return look;
}

shared_look shared_tier::claim(std::string_view key, const deadline& until) {
  const shared_request what{.verb = shared_verb::claim, .keys = {std::string(key)}};
  for (int round = 0; round < claim_rounds; ++round) {
    if (auto look = claim_of(what.keys.front(), way_.run(what, until))) return *std::move(look);
  }
  return {};
}

void shared_tier::start_claim(std::string_view key, const deadline& until,
                              std::function<void(shared_look)> then) {
  start_claim_round(std::string(key), until, claim_rounds, std::move(then));
}

void shared_tier::start_claim_round(std::string key, const deadline& until, int rounds,
                                    std::function<void(shared_look)> then) {
  shared_request what{.verb = shared_verb::claim, .keys = {key}};
  way_.start(std::move(what), until, {},
             [this, key = std::move(key), until, rounds,
              then = std::move(then)](shared_result result) mutable {
               if (auto look = claim_of(key, std::move(result))) return then(*std::move(look));
               if (rounds == 1) return then({});
               start_claim_round(std::move(key), until, rounds - 1, std::move(then));
             });
}

shared_item shared_tier::item_of(const file_entry& entry) const {
  entry_format::buffer buffer;
  const auto packed = format_.pack(entry, buffer);
  auto bytes = encode_prefix(packed);
  bytes.append(packed.value);
  const auto life = std::chrono::microseconds(entry.expires_us - entry.created_us);
  return {
      std::string(entry.key), std::move(bytes),
      std::max(std::chrono::ceil<std::chrono::milliseconds>(life), std::chrono::milliseconds(1)),
      entry.created_us};
}

shared_fill shared_tier::fill(const file_entry& entry, const std::string& expected,
                              const deadline& until) {
  if (expected.empty()) return shared_fill::failed;
  shared_request what{.verb = shared_verb::fill, .expected = expected};
  what.items.push_back(item_of(entry));
  return fill_of(way_.run(what, until));
}

void shared_tier::start_fill(const file_entry& entry, const std::string& expected,
                             const deadline& until, std::function<void(shared_fill)> then) {
  shared_request what{.verb = shared_verb::fill, .expected = expected};
  what.items.push_back(item_of(entry));
  way_.start(std::move(what), until, {},
             [then = std::move(then)](const shared_result& result) { then(fill_of(result)); });
}

std::vector<bool> shared_tier::put(std::vector<shared_item> items, const deadline& until) {
  const auto count = items.size();
  auto result = way_.run({.verb = shared_verb::put, .items = std::move(items)}, until);
  return result.failure ? std::vector<bool>(count) : std::move(result.answer.stored);
}

void shared_tier::start_put(std::vector<shared_item> items, const deadline& until,
                            std::stop_token stop,
                            std::function<void(std::vector<bool>, bool)> then) {
  const auto count = items.size();
  way_.start({.verb = shared_verb::put, .items = std::move(items)}, until, std::move(stop),
             [count, then = std::move(then)](shared_result result) {
               if (!result.failure) return then(std::move(result.answer.stored), false);
               then(std::vector<bool>(count), result.failure->code() == errc::cancelled);
             });
}

void shared_tier::erase(std::vector<std::string> keys, const deadline& until) {
  auto result = way_.run({.verb = shared_verb::erase, .keys = std::move(keys)}, until);
  if (result.failure) throw *std::move(result.failure);
}

void shared_tier::clear(const deadline& until) {
  auto result = way_.run({.verb = shared_verb::clear}, until);
  if (result.failure) throw *std::move(result.failure);
}

void shared_tier::start_erase(std::vector<std::string> keys, const deadline& until,
                              std::stop_token stop,
                              std::function<void(std::optional<error>)> then) {
  way_.start({.verb = shared_verb::erase, .keys = std::move(keys)}, until, std::move(stop),
             [then = std::move(then)](shared_result result) { then(std::move(result.failure)); });
}

void shared_tier::start_clear(const deadline& until, std::stop_token stop,
                              std::function<void(std::optional<error>)> then) {
  way_.start({.verb = shared_verb::clear}, until, std::move(stop),
             [then = std::move(then)](shared_result result) { then(std::move(result.failure)); });
}

}  // namespace scalekit::cache::detail
