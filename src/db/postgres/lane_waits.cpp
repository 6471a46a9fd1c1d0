#include "db/call_site.hpp"
#include "db/postgres/lane.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

// How long the members of a lane wait, and for what.

namespace scalekit::db::postgres {

using detail::pool_refusal;
using std::chrono::steady_clock;

namespace {

/// What nobody wants any more may run so long before the lane leaves it and its connection.
constexpr std::chrono::milliseconds stall_patience{250};

}  // namespace

/// Ends the wait of those who had their part in it. Those who came later ask again.
void lane::waited_in_vain(const std::exception_ptr& e) {
  const auto code = to_error(e).code();
  const auto now = steady_clock::now();
  for (auto& m : std::exchange(queue_, {})) {
    // Its caller may have gone, and what it was asked with.
    if (m->settled) continue;
    if (code == errc::acquire_timeout) {
      end_of_wait(*m) <= now ? settle(m, late_error(*m)) : queue_.push_back(std::move(m));
    } else if (code == errc::shed && waits_since(*m) > asked_at_) {
      queue_.push_back(std::move(m));
    } else {
      settle(m, e);
    }
  }
}

/// One timer for all: it stands at the earliest deadline of those that have come since it rang.
void lane::plan(time_point until) {
  if (until >= planned_) return;
  planned_ = until;
  if (!timer_) timer_.emplace(strand_);
  timer_->expires_at(until);
  timer_->async_wait([weak = weak_from_this(), until](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self && self->planned_ == until) self->expire();
  });
}

/// For a connection: those that have lost one wait anew.
time_point lane::waits_since(const lane_member& m) const noexcept {
  return m.was_sent() ? std::max(m.frame().begun, lost_at_) : m.frame().begun;
}

time_point lane::end_of_wait(const lane_member& m) const noexcept {
  return std::min(m.frame().until.when(), waits_since(m) + patience_);
}

/// When it gives up: earlier where it has yet to get a connection.
time_point lane::due(const lane_member& m) const noexcept {
  return asking_ ? end_of_wait(m) : m.frame().until.when();
}

std::exception_ptr lane::late_error(const lane_member& m) const {
  if (!m.flying && !lent_) {
    return pool_->explain({.site = m.site(), .reads = true}, waits_since(m), pool_refusal::timeout);
  }
  return std::make_exception_ptr(error(
      make_error_code(errc::execution_timeout),
      {detail::describe(m.site()) + ": no answer within its timeout, on a connection shared with " +
           std::to_string(load()) + " other reads",
       {},
       {},
       pool_->name()}));
}

void lane::expire() {
  planned_ = time_point::max();
  const auto now = steady_clock::now();
  auto next = time_point::max();
  std::vector<lane_member_ptr> late;
  auto look_at = [&](const auto& members) {
    for (const auto& m : members) {
      if (m->settled) continue;
      const auto until = due(*m);
      until <= now ? late.push_back(m) : void(next = std::min(next, until));
    }
  };
  look_at(flying_);
  look_at(queue_);
  for (const auto& m : late) settle(m, late_error(*m));
  const bool stalled = now >= stall_due();
  if (stalled) {
    // Whatever it is that takes so long, those behind it are not to wait for it.
    pool_->cancel(*lent_);
    giving_up_ = true;
    drop("given up: nobody waited any more for the statement that ran");
    release_broken();
    giving_up_ = false;
  }
  plan(std::min(next, stall_due()));
  if (!stalled) return;
  for (auto& m : std::exchange(to_settle_, {})) settle(m, nullptr);
  turn();
}

/// Those that are too many among the last that came: who was let in stays.
void lane::turn_away(std::size_t came) {
  const auto most = pool_->max_waiting() + (lent_ ? max_under_way : 0);
  if (queue_.size() <= most) return;
  const auto excess = std::min(queue_.size() - most, came);
  std::vector<lane_member_ptr> away;
  for (auto m = queue_.rbegin(); m != queue_.rend() && away.size() < excess; ++m) {
    // What was sent already is not new.
    if (!(*m)->was_sent() && !(*m)->settled) away.push_back(*m);
  }
  for (const auto& m : away) {
    pool_->count_shed();
    settle(m, too_many_error(*m));
  }
  std::erase_if(queue_, [](const auto& m) { return m->settled; });
}

std::exception_ptr lane::too_many_error(const lane_member& m) const {
  if (!lent_) {
    return pool_->explain({.site = m.site(), .reads = true}, waits_since(m),
                          pool_refusal::queue_full);
  }
  return std::make_exception_ptr(
      error(make_error_code(errc::shed),
            {detail::describe(m.site()) + ": already " + std::to_string(flying_.size()) +
                 " reads share a connection to " + pool_->name() + ", " +
                 std::to_string(max_under_way) + " more gather for it, and as many as may (" +
                 std::to_string(pool_->max_waiting()) + ", max_waiting) wait behind them",
             {},
             {},
             pool_->name()}));
}

/// When the connection is to be given up for running what nobody wants.
time_point lane::stall_due() const noexcept {
  if (!lent_ || flying_.empty() || !flying_.front()->settled) return time_point::max();
  return std::max(last_answer_, flying_.front()->sent_at) + stall_patience;
}

}  // namespace scalekit::db::postgres
