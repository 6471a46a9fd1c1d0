#include "db/postgres/lane.hpp"
#include "db/postgres/reply.hpp"
#include "db/postgres/sqlstate.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

// What becomes of the members of a lane by what its server, or the loss of it, has answered.

namespace scalekit::db::postgres {

using std::chrono::steady_clock;

namespace {

constexpr std::uint8_t max_runs = 3;

}  // namespace

void lane::sort_out(const std::vector<exchange_ptr>& ended) {
  if (ended.empty()) return;
  // Answers come one after the other: of those that came together each has its share of the time.
  const auto now = steady_clock::now();
  std::size_t answers = 0;
  auto began = time_point::max();
  for (const auto& e : ended) {
    if (!e->entry || e->end == exchange::ending::prepared || e->end == exchange::ending::lost) {
      continue;
    }
    ++answers;
    began = std::min(began, static_cast<lane_member&>(*e).sent_at);
  }
  const auto share = answers == 0 ? std::chrono::nanoseconds{0}
                                  : std::chrono::nanoseconds((now - std::max(last_answer_, began)) /
                                                             static_cast<long>(answers));
  if (answers > 0) {
    round_trip_ = now - began;
    last_answer_ = now;
    suspicious_ = false;
  }
  for (const auto& e : ended) {
    if (!e->entry) continue;
    auto m = std::static_pointer_cast<lane_member>(e);
    m->answered = now;
    m->took = share;
    judge(std::move(m));
  }
  // They end in the order in which they were sent.
  while (!flying_.empty() && !flying_.front()->flying) {
    flying_bytes_ -= flying_.front()->bytes;
    flying_.pop_front();
  }
}

void lane::judge(lane_member_ptr m) {
  m->flying = false;
  if (m->settled) return;
  switch (m->end) {
    case exchange::ending::prepared:
      m->end = exchange::ending::none;
      queue_.push_front(std::move(m));
      return;
    case exchange::ending::skipped:
      if (!ending_) return run_again(std::move(m), true);
      // Behind the statement with which the server ended the connection.
      m->end = exchange::ending::lost;
      m->lost_because = "the server ended the connection";
      return run_elsewhere(std::move(m));
    case exchange::ending::lost:
      // With its preparation: that counts as well.
      if (!m->sent) ++m->runs;
      return run_elsewhere(std::move(m));
    case exchange::ending::failed: {
      if (is_stale_plan(*m)) {
        lent_->wire->forget(*m);
        m->healed = true;
        return run_again(std::move(m), true);
      }
      const auto state = sqlstate_of(*m);
      if (is_connection_fatal(state)) {
        // Not the statement's fault.
        ending_ = true;
        return run_elsewhere(std::move(m));
      }
      // A group shares its locks and a cancel.
      if (!m->alone && (is_retryable_transaction(state) || state == "57014")) {
        return run_again(std::move(m), true);
      }
      break;
    }
    case exchange::ending::done:
    case exchange::ending::none:
      break;
  }
  to_settle_.push_back(std::move(m));
}

/// Its connection is gone.
void lane::run_elsewhere(lane_member_ptr m) {
  if (is_one_of_many_ && !giving_up_) return to_settle_.push_back(std::move(m));
  const bool alone = m->alone;
  run_again(std::move(m), alone);
}

void lane::run_again(lane_member_ptr m, bool alone) {
  if (m->runs >= max_runs) return to_settle_.push_back(std::move(m));
  m->alone |= alone;
  m->restart();
  queue_.push_back(std::move(m));
}

}  // namespace scalekit::db::postgres
