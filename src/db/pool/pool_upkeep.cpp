// pool_core: what becomes due as time passes, and orders from above.

#include "db/pool/pool_core.hpp"

#include <cassert>

namespace scalekit::db::detail {
namespace {

/// For an answer to a sign-of-life query: an empty statement.
constexpr std::chrono::seconds check_timeout{5};

/// Waiters whose time is over are looked for once in this time at most: a long queue must not be
/// walked for each of them.
constexpr std::chrono::milliseconds expiry_step{1};

}  // namespace

void pool_core::tick(time_point now, pool_actions& out) {
  if (closed_) return;
  size_.account(busy(), now);
  if (now >= first_until_) refuse_expired(now, out);
  if (busy() > 0) shed_down_to(0, now, out);
  if (now >= upkeep_) {
    if (size_.consider_shrinking()) close_idle_surplus(now, out);
    tend_idle(now, out);
    report_leaks(now, out);
    replace_one(now, out);
    upkeep_ = size_.shrink_due();
    for (const auto& s : slots_) upkeep_ = std::min(upkeep_, due(s, now));
    if (upkeep_ != time_point::max()) upkeep_ = std::max(upkeep_, now + params_.reap_interval);
  }
  proceed(now, out);
}

void pool_core::set_limits(std::size_t min, std::size_t max, const std::string& why, time_point now,
                           pool_actions& out) {
  assert(min <= max && max >= 1);
  if (closed_) return;
  size_.account(busy(), now);
  max = std::min(max, params_.max);
  size_.set_limits(std::min(min, max), max, why.empty() ? "the settings' own limits" : why);
  limited_by_ = why;
  if (most_reads_ != no_limit) keep_room_for_writes();
  close_idle_surplus(now, out);
  // A lower min makes idle ones due.
  upkeep_ = std::min(upkeep_, now + params_.reap_interval);
  proceed(now, out);
}

void pool_core::evict_all(std::uint64_t generation, time_point now, pool_actions& out) {
  if (closed_ || generation <= generation_) return;
  // A fresh connection would do them no good: it leads to the same server.
  refuse_all(pool_refusal::evicted, out);
  begin_generation(generation, now, out);
  proceed(now, out);
}

void pool_core::begin_generation(std::uint64_t generation, time_point now, pool_actions& out) {
  generation_ = generation;
  while (!idle_.empty()) {
    const auto id = idle_.front();
    take_out_of_idle(id);
    close_slot(id, close_reason::evicted, now, out);
  }
}

void pool_core::refuse_expired(time_point now, pool_actions& out) {
  first_until_ = time_point::max();
  for (auto* w = waiting_.front(); w != nullptr;) {
    auto* next = waiting_.after(*w);
    if (w->until <= now) {
      refuse(*w, pool_refusal::timeout, out);
    } else {
      first_until_ = std::min(first_until_, w->until);
    }
    w = next;
  }
  if (first_until_ != time_point::max()) {
    first_until_ = std::max(first_until_, now + expiry_step);
  }
}

void pool_core::take_out_of_idle(slot_id id) noexcept {
  idle_.erase(std::find(idle_.begin(), idle_.end(), id));
}

void pool_core::close_idle_surplus(time_point now, pool_actions& out) {
  while (!idle_.empty() && sized() > size_.value()) {
    const auto id = idle_.front();
    take_out_of_idle(id);
    close_slot(id, close_reason::surplus, now, out);
  }
}

/// Closes what is too old or unused for too long, the longest unused first, and checks the rest.
void pool_core::tend_idle(time_point now, pool_actions& out) {
  const auto idle_timeout = params_.idle_timeout;
  const auto check_after = params_.health_check_interval;
  // At most half at a time: the others can be lent meanwhile.
  const auto most_checks = (count(state::idle) + count(state::checking) + 1) / 2;
  for (std::size_t i = 0; i < idle_.size();) {
    const auto id = idle_[i];
    auto& s = slots_[id];
    const bool is_unused =
        idle_timeout.count() != 0 && now - s.used >= idle_timeout && sized() > size_.min();
    if (now >= s.expires || is_unused) {
      take_out_of_idle(id);
      close_slot(id, now >= s.expires ? close_reason::expired : close_reason::idle, now, out);
    } else if (check_after.count() != 0 && now - s.alive >= check_after &&
               count(state::checking) < most_checks) {
      take_out_of_idle(id);
      move(s, state::checking, now);
      out.push_back({.what = pool_action::kind::check, .slot = id, .until = now + check_timeout});
    } else {
      ++i;
    }
  }
}

void pool_core::report_leaks(time_point now, pool_actions& out) {
  if (params_.leak_after.count() == 0) return;
  for (slot_id id = 0; id < slots_.size(); ++id) {
    auto& s = slots_[id];
    if (s.now != state::lent || s.leak_reported || now - s.since < params_.leak_after) continue;
    s.leak_reported = true;
    ++stats_.leaks_reported;
    out.push_back({.what = pool_action::kind::report_leak, .slot = id});
  }
}

/// Dials the successor of one that expires soon, where its going would be felt.
void pool_core::replace_one(time_point now, pool_actions& out) {
  if (successor_ != no_slot) return;
  const auto old = std::find_if(slots_.begin(), slots_.end(), [&](const slot& s) {
    return (s.now == state::idle || s.now == state::lent) && !s.retiring &&
           s.generation == generation_ && now >= s.replace_at;
  });
  if (old == slots_.end()) return;
  const auto other_idle = count(state::idle) - (old->now == state::idle ? 1 : 0);
  const bool is_felt = sized() <= size_.min() || other_idle == 0;
  if (!is_felt || !has_room_to_dial() || now < pace_.next()) {
    old->replace_at = now + (old->expires - now) / 2;
    return;
  }
  successor_ = dial(now, out);
  replaced_ = static_cast<slot_id>(old - slots_.begin());
}

/// When the next round must look at `s`.
time_point pool_core::due(const slot& s, time_point now) const noexcept {
  const bool is_idle = s.now == state::idle;
  if (!is_idle && s.now != state::lent) return time_point::max();
  auto first = time_point::max();
  auto note = [&](time_point from, std::chrono::nanoseconds pause) {
    if (pause.count() != 0) first = std::min(first, from + pause);
  };
  if (now < s.expires) first = s.retiring ? s.expires : std::min(s.replace_at, s.expires);
  if (is_idle) {
    note(s.alive, params_.health_check_interval);
    if (sized() > size_.min()) note(s.used, params_.idle_timeout);
  } else if (!s.leak_reported) {
    note(s.since, params_.leak_after);
  }
  return first;
}

}  // namespace scalekit::db::detail
