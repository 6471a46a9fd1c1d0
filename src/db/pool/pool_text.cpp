// pool_core: what it tells people, and its counts.

#include "db/call_site.hpp"
#include "db/pool/pool_core.hpp"

namespace scalekit::db::detail {

bool pool_core::holds_one(std::thread::id thread) const noexcept {
  if (thread == std::thread::id{}) return false;
  return std::any_of(slots_.begin(), slots_.end(), [&](const slot& s) {
    return s.now == state::lent && s.user.thread == thread;
  });
}

std::string pool_core::counts_text(std::size_t others_waiting) const {
  std::string text = std::to_string(count(state::lent)) + " busy, " +
                     std::to_string(count(state::idle)) + " idle, " +
                     std::to_string(count(state::dialing)) + " being opened, ";
  if (auto unready = count(state::checking) + count(state::resetting)) {
    text += std::to_string(unready) + " being checked or reset, ";
  }
  text += std::to_string(count(state::closing)) + " being closed of at most " +
          std::to_string(size_.max());
  if (!limited_by_.empty()) text += " (" + limited_by_ + ")";
  if (size_.value() < size_.max()) {
    text += " (at present " + std::to_string(size_.value()) + ")";
  }
  return text + "; " + std::to_string(others_waiting) + " more waiting of at most " +
         std::to_string(max_waiting_);
}

std::string pool_core::oldest_holder_text(const pool_waiter& w, time_point now) const {
  const slot* oldest = nullptr;
  for (const auto& s : slots_) {
    if (s.now != state::lent) continue;
    if (oldest == nullptr || s.since < oldest->since) oldest = &s;
  }
  if (oldest == nullptr) return {};
  std::string text = "; the oldest holder is " + detail::describe(oldest->user.site) +
                     (oldest->user.transaction ? " (a transaction)" : "") + ", since " +
                     in_ms(now - oldest->since);
  if (holds_one(w.user.thread)) {
    text += "; this very thread holds one: use the transaction's own calls in it";
  }
  return text;
}

std::string pool_core::describe(pool_refusal why, const pool_waiter& w, time_point now) const {
  const auto site = detail::describe(w.user.site) + ": ";
  const auto waited = in_ms(now - w.since);
  const auto others = waiting_.size() - (w.now == pool_waiter::state::waiting ? 1 : 0);
  const auto last_failure =
      pace_.last_error().empty() ? std::string() : "; the last dial failed: " + pace_.last_error();
  switch (why) {
    case pool_refusal::timeout:
      return site + "no connection to " + name_ + " came free within " + waited + ": " +
             counts_text(others) + oldest_holder_text(w, now) + last_failure;
    case pool_refusal::cancelled:
      return site + "cancelled after waiting " + waited + " for a connection to " + name_;
    case pool_refusal::queue_full:
      return site + "already " + std::to_string(max_waiting_) +
             " callers wait for a connection to " + name_ + ": " + counts_text(others) +
             oldest_holder_text(w, now) + last_failure;
    case pool_refusal::overload:
      return site + "turned away after waiting " + waited + " for a connection to " + name_ +
             ": for " + in_ms(params_.shed_interval) + " nobody got one within " +
             in_ms(params_.shed_target) + " (overload): " + counts_text(others) +
             oldest_holder_text(w, now) + last_failure;
    case pool_refusal::unreachable:
      return site + "there is no connection to " + name_ +
             " to wait for: " + std::to_string(pace_.failures()) +
             " dials failed in a row; the last: " + pace_.last_error();
    case pool_refusal::evicted:
      return site + "sent away after waiting " + waited + " for a connection to " + name_ +
             ": the writes were taken over by another server, or on another timeline";
    case pool_refusal::closed:
      return site + "closed while asking for a connection to " + name_;
    case pool_refusal::none:
      break;
  }
  return {};
}

std::string pool_core::describe_leak(slot_id id, time_point now) const {
  const auto& s = slots_[id];
  return detail::describe(s.user.site) + (s.user.transaction ? " (a transaction)" : "") +
         " has held a connection to " + name_ + " for " + in_ms(now - s.since) + ": " +
         counts_text(waiting_.size());
}

std::string pool_core::describe_nested(const pool_waiter& w) const {
  std::string text = detail::describe(w.user.site) + " waits for a connection to " + name_ +
                     " on a thread that holds one";
  for (const auto& s : slots_) {
    if (s.now != state::lent || s.user.thread != w.user.thread) continue;
    text += ", taken at " + detail::describe(s.user.site);
    break;
  }
  return text + ": with " + std::to_string(size_.max()) +
         " such threads nobody would get further; use the transaction's own calls in it";
}

pool_statistics pool_core::statistics() const {
  auto stats = stats_;
  stats.limit = size_.max();
  stats.busy = count(state::lent);
  stats.waiting = waiting_.size();
  stats.size = size_.value();
  stats.size_reason = size_.last_change().text;
  stats.limit_reason = limited_by_;
  stats.idle = count(state::idle);
  stats.dialing = count(state::dialing);
  stats.unready = count(state::checking) + count(state::resetting);
  stats.closing = count(state::closing);
  auto closed_for = [&](close_reason why) { return closed_for_[static_cast<std::size_t>(why)]; };
  stats.closed = {.broken = closed_for(close_reason::broken),
                  .spent = closed_for(close_reason::spent),
                  .idle = closed_for(close_reason::idle),
                  .expired = closed_for(close_reason::expired),
                  .evicted = closed_for(close_reason::evicted),
                  .surplus = closed_for(close_reason::surplus),
                  .unhealthy = closed_for(close_reason::unhealthy),
                  .pool_closed = closed_for(close_reason::pool_closed)};
  return stats;
}

}  // namespace scalekit::db::detail
