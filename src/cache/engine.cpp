#include "cache/engine.hpp"

#include "cache/copying_port.hpp"
#include "cache/errors.hpp"
#include "cache/serving.hpp"
#include "cache/validate.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace scalekit::cache {

using detail::closed_error;
using detail::hashed_key;
using detail::load_outcome;
using detail::load_request;
using detail::raw_lookup;
using detail::serving;
using detail::stale_cause;

void store::state::enter(std::string_view call, std::string_view key,
                         const call_options& options) const {
  born.check(call);
  if (closed.load(std::memory_order_relaxed)) throw closed_error();
  detail::validate_key(key);
  detail::validate(options);
}

void store::state::enter_blocking(std::string_view call, std::string_view key,
                                  const call_options& options, bool always_blocks) const {
  enter(call, key, options);
  if (always_blocks || table.may_block()) io_thread_mark::check_blocking_allowed(call);
}

void store::state::count_miss(std::string_view type) {
  misses.add();
  if (const auto now = table.now_ns(); history.is_due(now)) take_note(now);
  if (!type.empty()) table.types()[table.types().number(type)].misses.add();
}

void store::state::take_note(std::int64_t now_ns) noexcept {
  try {
    statistics sum;
    add_counts_to(sum);
    history.take({now_ns, sum.lookups(), sum.hits()});
  } catch (const std::bad_alloc&) {
    // Another will.
  }
}

void store::state::count_stale(std::string_view type, stale_cause cause) {
  stale[static_cast<std::size_t>(cause)].add();
  if (!type.empty()) table.types()[table.types().number(type)].stale.add();
}

raw_lookup store::state::read(const hashed_key& key, detail::value_port& port,
                              const call_options& options) {
  if (auto found = table.find_in_memory(key, port)) return *found;
  std::optional<raw_lookup> found;
  if (table.may_block()) {
    const auto at = table.place_of(key);
    const auto until = deadline::after(options.timeout);
    found = options.allow_stale ? table.find_kept_below(key, at, port, until)
                                : table.find_below(key, at, port, until);
  }
  return conclude_read(key, port, options.allow_stale, found);
}

raw_lookup store::state::conclude_read(const hashed_key& key, detail::value_port& port,
                                       bool allow_stale, std::optional<raw_lookup> found) {
  if (!found && allow_stale) found = table.find_kept_in_memory(key, port);
  if (!found) {
    count_miss({});
    return {};
  }
  if (found->freshness == freshness::stale) count_stale({}, stale_cause::asked);
  return *found;
}

bool store::state::answers(const load_request& r, const raw_lookup& found) {
  auto what = detail::decide(r.how, found, false);
  std::exception_ptr why;
  if (what == serving::serve_and_refresh || what == serving::load_or_serve) {
    why = retries.failure(r.key.hash, table.now_ns());
    if (why) what = detail::decide(r.how, found, true);
  }
  if (what == serving::load || what == serving::load_or_serve) return false;
  const bool is_stale = found.freshness == freshness::stale;
  if (what == serving::serve_and_refresh) {
    if (r.is_owned) {
      refresh(r);
    } else if (is_stale &&
               !flights.is_loading(r.key.text, r.key.hash, table.token_of(table.place_of(r.key)))) {
      return false;  // this caller is the one to load it
    }
  }
  if (!is_stale) return true;
  count_stale(r.how.type, why ? stale_cause::throttled : stale_cause::refreshing);
  r.port.error = std::move(why);
  return true;
}

void store::state::refuse_own_key(std::string_view key) const {
  if (!detail::loading_mark::is_loading(this, key)) return;
  throw error(errc::not_allowed,
              "a loader asked the cache for the key that it is loading: it would wait for itself");
}

std::shared_ptr<detail::flight> store::state::join(const hashed_key& key, std::string_view type) {
  auto load = flights.join(key.text, key.hash, table.token_of(table.place_of(key)));
  if (load) {
    count_miss(type);
    coalesced.add();
  }
  return load;
}

store::state::boarding store::state::board(const load_request& r) {
  refuse_own_key(r.key.text);
  const auto at = table.place_of(r.key);
  const bool may_be_stale = r.how.stale_for.count() > 0;
  boarding result;
  // What a file holds may be served at once while it is loaded: then nobody waits for the load.
  if (!may_be_stale || !table.may_block()) result.seat.load = join(r.key, r.how.type);
  if (result.seat.load) return result;
  // Taken before the look: a set that is done between the two must win over this load.
  const auto token = table.token_of(at);
  result.found = may_be_stale ? table.find_kept_below(r.key, at, r.port, r.until)
                              : table.find_in_file(r.key, at, r.port);
  if (result.found) {
    if (answers(r, *result.found)) return result;
    result.found.reset();
    result.has_stale = true;
  }
  result.seat = flights.join_or_begin(r.key.text, r.key.hash, token, detail::limit_of(r.how));
  if (result.seat.is_leader) {
    result.found = look_again(result.seat.load, r, at);
    if (!result.found) result.found = claim(result.seat.load, r);
  }
  if (result.found) return result;
  count_miss(r.how.type);
  if (!result.seat.is_leader) coalesced.add();
  return result;
}

std::optional<raw_lookup> store::state::look_again(const std::shared_ptr<detail::flight>& load,
                                                   const load_request& r,
                                                   const detail::tiers::place& at) {
  detail::copying_port copy;
  std::optional<raw_lookup> found;
  try {
    found = table.has_memory() ? table.find_in_memory(r.key, copy)
                               : table.find_in_file(r.key, at, copy);
    if (!found) return std::nullopt;
    return end_with(load, r.key, *found, std::move(copy.bytes), r.port);
  } catch (...) {
    finish(load, r.key, {nullptr, std::current_exception()});
    throw;
  }
}

std::optional<raw_lookup> store::state::claim(const std::shared_ptr<detail::flight>& load,
                                              const load_request& r) {
  try {
    detail::copying_port copy;
    const auto found = table.find_or_claim(r.key, copy, load->claim, r.until);
    if (!found) return std::nullopt;
    return end_with(load, r.key, *found, std::move(copy.bytes), r.port);
  } catch (...) {
    finish(load, r.key, {nullptr, std::current_exception()});
    throw;
  }
}

std::optional<raw_lookup> store::state::end_with(const std::shared_ptr<detail::flight>& load,
                                                 const hashed_key& key, const raw_lookup& found,
                                                 std::string bytes, detail::value_port& port) {
  load_outcome outcome;
  if (found.freshness == freshness::fresh) {
    if (!port.accept(std::string(bytes))) {
      if (table.has_shared()) table.forget_undecodable(key);
      return std::nullopt;
    }
    outcome.bytes = std::make_shared<const std::string>(std::move(bytes));
  }
  finish(load, key, outcome);
  return found;
}

void store::state::finish(const std::shared_ptr<detail::flight>& load, const hashed_key& key,
                          const load_outcome& outcome) {
  flights.remove(key.text, key.hash, load);
  load->end(outcome);
}

void store::state::add_counts_to(statistics& sum) {
  auto count_of = [&](stale_cause cause) { return stale[static_cast<std::size_t>(cause)].value(); };
  sum.stale = {count_of(stale_cause::refreshing), count_of(stale_cause::failed),
               count_of(stale_cause::slow), count_of(stale_cause::throttled),
               count_of(stale_cause::asked)};
  sum.stale_hits = sum.stale.refreshing + sum.stale.failed + sum.stale.slow + sum.stale.throttled +
                   sum.stale.asked;
  // Before the misses, of which they are a part; one that is answered early is counted later.
  const auto answered = answered_misses.value();
  sum.misses = std::max(misses.value(), answered) - answered;
  sum.loads = loads.value();
  sum.loads_absent = absent.value();
  sum.coalesced = coalesced.value();
  sum.abandoned_waits = abandoned.value();
  sum.refreshes = refreshes.value();
  sum.refreshes_failed = refreshes_failed.value();
  sum.load_timeouts = load_timeouts.value();
  sum.sets = sets.value();
  sum.erases = erases.value();
  table.add_to(sum);
}

void store::state::add_to(statistics& sum) {
  add_counts_to(sum);
  const detail::lookup_history::note now{table.now_ns(), sum.lookups(), sum.hits()};
  const auto last = [&](std::chrono::nanoseconds window) {
    const auto since = history.since(now, window);
    return window_statistics{std::chrono::nanoseconds(since.at_ns), since.lookups, since.hits};
  };
  sum.last_minute = last(std::chrono::minutes(1));
  sum.last_10_minutes = last(std::chrono::minutes(10));
  sum.last_hour = last(std::chrono::hours(1));
  history.take(now);
  for (auto& row : costs.top(10)) {
    sum.costly_keys.push_back({std::move(row.key), row.loads, row.spent, row.error});
  }
}

void store::state::close() noexcept {
  if (closed.exchange(true) || born.is_forked()) return;
  for (auto& load : flights.drain()) {
    // In this order: a loader that stops at once must not be the first to end its load.
    load->end({nullptr, std::make_exception_ptr(closed_error())});
    load->request_stop();
  }
  alarms.close();
  table.close();
}

}  // namespace scalekit::cache
