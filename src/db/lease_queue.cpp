#include "db/lease_queue.hpp"

#include <utility>

namespace scalekit::db::detail {

lease_queue::lease_queue(std::size_t slots, std::size_t max_waiting) : max_waiting_(max_waiting) {
  stats_.limit = slots;
  // Lent from the back: slot 0 first.
  for (std::size_t i = slots; i > 0; --i) free_.push_back(i - 1);
}

std::optional<std::size_t> lease_queue::try_take() {
  if (closed_ || free_.empty()) return std::nullopt;
  auto slot = free_.back();
  free_.pop_back();
  ++stats_.busy;
  ++stats_.acquired;
  return slot;
}

bool lease_queue::wait(lease_waiter& w) {
  if (waiting_.size() >= max_waiting_) {
    ++stats_.shed;
    return false;
  }
  waiting_.push_back(w);
  w.now = lease_waiter::state::waiting;
  return true;
}

lease_waiter* lease_queue::give_back(std::size_t slot) {
  if (waiting_.empty()) {
    if (!closed_) free_.push_back(slot);
    --stats_.busy;
    return nullptr;
  }
  auto* first = waiting_.front();
  waiting_.erase(*first);
  first->now = lease_waiter::state::granted;
  first->slot = slot;
  ++stats_.acquired;
  ++stats_.waited;
  return first;
}

bool lease_queue::abandon(lease_waiter& w, leave why) {
  if (w.now != lease_waiter::state::waiting) return false;
  waiting_.erase(w);
  w.now = lease_waiter::state::idle;
  ++(why == leave::timeout ? stats_.acquire_timeouts : stats_.cancelled_waits);
  return true;
}

lease_waiter* lease_queue::first_adoptable() const noexcept {
  if (waiting_.empty() || !waiting_.front()->adoptable) return nullptr;
  return waiting_.front();
}

void lease_queue::adopt(party& p) noexcept {
  auto* first = waiting_.front();
  first->now = lease_waiter::state::adopted;
  waiting_.erase(*first);
  p.push_back(*first);
}

void lease_queue::serve(lease_waiter& w) noexcept {
  w.now = lease_waiter::state::served;
  ++stats_.acquired;
  ++stats_.waited;
}

void lease_queue::put_back_last(party& p) noexcept {
  auto* w = p.back();
  p.erase(*w);
  w->adoptable = false;
  if (closed_) {
    w->now = lease_waiter::state::closed;
    return;
  }
  w->now = lease_waiter::state::waiting;
  waiting_.push_front(*w);
}

std::vector<lease_waiter*> lease_queue::close() {
  closed_ = true;
  std::vector<lease_waiter*> left;
  while (auto* w = waiting_.front()) {
    waiting_.erase(*w);
    w->now = lease_waiter::state::closed;
    left.push_back(w);
  }
  return left;
}

std::vector<std::size_t> lease_queue::take_free() noexcept {
  return std::exchange(free_, {});
}

pool_statistics lease_queue::statistics() const noexcept {
  auto copy = stats_;
  copy.waiting = waiting_.size();
  return copy;
}

}  // namespace scalekit::db::detail
