#include "cache/copying_port.hpp"
#include "cache/engine.hpp"
#include "cache/errors.hpp"
#include "cache/serving.hpp"

#include <algorithm>
#include <string>
#include <utility>

// How a store loads: here, aside or in the background; in time, too late, or not at all.

namespace scalekit::cache {

using detail::closed_error;
using detail::hashed_key;
using detail::load_outcome;
using detail::load_request;
using detail::owned_load;
using detail::raw_lookup;
using detail::serving;
using detail::stale_cause;
using load_handle = std::shared_ptr<detail::flight>;

namespace {

std::string in_ms(std::chrono::nanoseconds d) {
  return std::to_string(d / std::chrono::milliseconds(1)) + " ms";
}

error too_long(const policy& how) {
  return {errc::execution_timeout, "loading this key of the cache takes longer than " +
                                       in_ms(how.load_timeout) + "; see policy.load_timeout"};
}

/// Whether something may be served in place of what a load would give.
bool may_serve_older(const policy& how) noexcept {
  return how.stale_for.count() > 0 || how.refresh_ahead > 0;
}

}  // namespace

raw_lookup store::state::read_or_load(const load_request& r, std::optional<raw_lookup> found) {
  if (!found && r.how.stale_for.count() > 0) found = table.find_kept_in_memory(r.key, r.port);
  if (found && answers(r, *found)) return *found;
  auto boarded = board(r);
  if (boarded.found) return *boarded.found;
  auto& [load, is_leader] = boarded.seat;
  if (!is_leader) return wait(load, r);
  const bool has_stale = found || boarded.has_stale;
  const bool may_leave =
      r.how.load_timeout.count() > 0 || (has_stale && r.how.soft_timeout.count() > 0);
  if (r.is_owned && may_leave) {
    lead_aside(load, std::make_shared<owned_load>(r.key.text, r.how, r.loader, r.until));
    return wait(load, r);
  }
  const auto outcome = lead(load, r.key, r.how, r.loader, r.until);
  if (outcome.failure || r.is_owned) return conclude(outcome, r);
  return {outcome.bytes ? freshness::fresh : freshness::negative, tier::loader, {}, {}, true};
}

load_outcome store::state::lead(const load_handle& load, const hashed_key& key, const policy& how,
                                const detail::raw_loader& loader, const deadline& until) {
  load_outcome outcome;
  auto& type = table.types()[table.types().number(how.type)];
  try {
    // It may have waited too long for a thread.
    if (load->is_overdue()) throw too_long(how);
    if (load->limit()) set_alarm(load, key, how);
    detail::loading_mark mark(this, key.text);
    const load_context context(load->stop_token(),
                               load->limit() ? earlier(until, *load->limit()) : until);
    auto bytes = std::make_shared<std::string>();
    const auto load_it = [&] {
      const detail::load_meter meter(costs, {&key.text, 1});
      return loader(context, *bytes);
    };
    if (load_it()) {
      outcome.bytes = std::move(bytes);
      loads.add();
    } else {
      absent.add();
    }
    type.loads.add();
    keep(load, key, how, outcome, context, until);
  } catch (...) {
    // Whatever the host's loader threw belongs to those who wait for it.
    outcome = {nullptr, std::current_exception()};
    type.load_failures.add();
    note_failure(key, how, load, outcome.failure);
  }
  if (load->limit()) alarms.drop(load.get());
  // Only now: who misses the load must find what it has stored.
  finish(load, key, outcome);
  return outcome;
}

void store::state::keep(const load_handle& load, const hashed_key& key, const policy& how,
                        const load_outcome& outcome, const load_context& told,
                        const deadline& until) {
  const auto as_told = to_keep(load, key, how, outcome, told);
  if (!as_told) return;
  table.fill(key, outcome.bytes.get(), *as_told, load->begun(), load->claim, until);
}

std::optional<policy> store::state::to_keep(const load_handle& load, const hashed_key& key,
                                            const policy& how, const load_outcome& outcome,
                                            const load_context& told) {
  // What comes too late may be older than what another load has brought since.
  if (closed || load->is_over()) return std::nullopt;
  if (may_serve_older(how)) retries.forget(key.hash);
  auto as_told = how;
  if (told.own_ttl()) {
    constexpr std::chrono::milliseconds none{0}, longest = std::chrono::hours(24 * 366);
    auto& ttl = outcome.bytes ? as_told.ttl : as_told.negative_ttl;
    ttl = std::clamp(*told.own_ttl(), none, longest);
  }
  return as_told;
}

void store::state::lead_aside(const load_handle& load, std::shared_ptr<const owned_load> what) {
  const auto key = table.hashed(what->key);
  try {
    execution.post_work([self = shared_from_this(), load, what] {
      self->lead(load, self->table.hashed(what->key), what->how, what->loader, what->until);
    });
  } catch (...) {
    finish(load, key, {nullptr, std::current_exception()});
  }
}

void store::state::refresh(const load_request& r) {
  // Its own member: it goes on whoever leaves.
  const auto load = flights.begin(r.key.text, r.key.hash, table.token_of(table.place_of(r.key)),
                                  detail::limit_of(r.how));
  if (!load) return;
  refreshes.add();
  table.types()[table.types().number(r.how.type)].refreshes.add();
  try {
    auto what = std::make_shared<const owned_load>(r.key.text, r.how, r.loader, r.until);
    // Not the store's owner while it is queued: its last handle may go before.
    execution.post_work([weak = weak_from_this(), load, what] {
      if (auto self = weak.lock()) self->run_refresh(load, *what);
    });
  } catch (...) {
    refreshes_failed.add();
    finish(load, r.key, {nullptr, std::current_exception()});
  }
}

void store::state::run_refresh(const load_handle& load, const owned_load& what) {
  const auto key = table.hashed(what.key);
  load_outcome outcome;
  try {
    if (closed) throw closed_error();
    // Another load may have ended just before this one began, or another process have been quicker.
    detail::copying_port newer;
    auto is_newer = [&](const std::optional<raw_lookup>& found) {
      return found && detail::decide(what.how, *found, false) == serving::serve;
    };
    auto found = table.peek_into_memory(key, newer);
    if (!is_newer(found)) found = table.peek_below(key, newer, load->claim, what.until);
    if (is_newer(found)) {
      if (found->freshness == freshness::fresh) {
        outcome.bytes = std::make_shared<const std::string>(std::move(newer.bytes));
      }
      return finish(load, key, outcome);
    }
  } catch (...) {
    return finish(load, key, {nullptr, std::current_exception()});
  }
  lead(load, key, what.how, what.loader, what.until);
  // How it ended, which may have been before the loader did.
  const auto* ended = load->wait(deadline::after({}));
  if (ended && ended->failure) refreshes_failed.add();
}

void store::state::set_alarm(const load_handle& load, const hashed_key& key, const policy& how) {
  alarms.set(load.get(), load->limit()->when(), execution.completion_executor(),
             [weak = weak_from_this(), load, text = std::string(key.text), how] {
               if (auto self = weak.lock()) self->expire(load, self->table.hashed(text), how);
             });
}

void store::state::expire(const load_handle& load, const hashed_key& key, const policy& how) {
  const auto why = std::make_exception_ptr(too_long(how));
  note_failure(key, how, load, why);
  flights.remove(key.text, key.hash, load);
  if (load->end({nullptr, why})) load_timeouts.add();
  load->request_stop();
}

void store::state::note_failure(const hashed_key& key, const policy& how, const load_handle& load,
                                const std::exception_ptr& why) {
  // A loader that was asked to stop, and does, says nothing new.
  if (!may_serve_older(how) || load->is_over()) return;
  const auto now = table.now_ns();
  retries.note(key.hash, why, now, now + std::chrono::nanoseconds(how.retry_after).count());
}

raw_lookup store::state::wait(const load_handle& load, const load_request& r) {
  const auto limit = load->limit() ? earlier(r.until, *load->limit()) : r.until;
  const load_outcome* outcome = nullptr;
  if (r.how.soft_timeout.count() > 0 && r.how.stale_for.count() > 0) {
    outcome = load->wait(earlier(limit, deadline::after(r.how.soft_timeout)));
    if (!outcome && !limit.expired()) {
      if (auto found = fall_back(r.key, r.how, r.port, r.may_ask_for_stale)) {
        count_fall_back(r.how, *found, stale_cause::slow);
        return *found;  // without leaving: the load goes on
      }
    }
  }
  if (!outcome) outcome = load->wait(limit);
  if (!outcome && load->is_overdue()) {
    // The alarm may be waiting for a thread.
    expire(load, r.key, r.how);
    outcome = load->wait(limit);
  }
  if (outcome) return conclude(*outcome, r);
  if (auto found = fall_back(r.key, r.how, r.port, r.may_ask_for_stale)) {
    count_fall_back(r.how, *found, stale_cause::slow);
    return *found;
  }
  load->leave();
  abandoned.add();
  throw error(errc::acquire_timeout, "the load of this key did not end within the call's timeout");
}

raw_lookup store::state::conclude(const load_outcome& outcome, const load_request& r) {
  if (!outcome.failure) return receive(outcome, r.port);
  auto found = fall_back(r.key, r.how, r.port, r.may_ask_for_stale);
  if (!found) std::rethrow_exception(outcome.failure);
  count_fall_back(r.how, *found, stale_cause::failed);
  if (found->freshness == freshness::stale) r.port.error = outcome.failure;
  return *found;
}

raw_lookup store::state::receive(const load_outcome& outcome, detail::value_port& port) {
  if (outcome.failure) std::rethrow_exception(outcome.failure);
  if (!outcome.bytes) return {freshness::negative, tier::loader};
  if (!port.accept(std::string(*outcome.bytes))) {
    throw error(errc::invalid_argument, "another caller loads this key as another type");
  }
  return {freshness::fresh, tier::loader};
}

std::optional<raw_lookup> store::state::fall_back(const hashed_key& key, const policy& how,
                                                  detail::value_port& port, bool may_block) {
  if (how.stale_for.count() == 0 || closed) return std::nullopt;
  auto found = table.find_kept_in_memory(key, port);
  if (!found && may_block && table.may_block()) {
    // The call's own time may be over.
    const auto until = deadline::after(std::chrono::seconds(1));
    found = table.find_kept_below(key, table.place_of(key), port, until);
  }
  const bool is_answer = found && detail::decide(how, *found, true) != serving::load;
  return is_answer ? found : std::nullopt;
}

void store::state::count_fall_back(const policy& how, const raw_lookup& found, stale_cause cause) {
  // Counted as a miss when it began to wait.
  answered_misses.add();
  table.types()[table.types().number(how.type)].answered_misses.add();
  if (found.freshness == freshness::stale) count_stale(how.type, cause);
}

}  // namespace scalekit::cache
