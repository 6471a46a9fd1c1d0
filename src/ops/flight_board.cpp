#include "ops/flight_board.hpp"

namespace scalekit::ops::detail {

flight_board::flight_board(std::size_t connections, std::size_t clients, std::size_t max_waiting)
    : max_waiting_(max_waiting), slots_(connections), clients_(clients) {}

flight& flight_board::open(time_point due) {
  if (free_.empty()) free_.push_back(&storage_.emplace_back());
  flight& f = *free_.back();
  free_.pop_back();
  f.due = due;
  f.client.reset();
  f.connection.reset();
  f.bytes.clear();
  outstanding_.push_back(f);
  ++outstanding_count_;
  return f;
}

bool flight_board::assign(flight& f) {
  idle_slot* slot = nullptr;
  if (!f.client) {
    if (!idle_.empty()) slot = &idle_.front();
  } else if (auto& own = clients_[*f.client].idle; !own.empty()) {
    slot = &own.front();
  }
  if (!slot) return false;
  f.connection = static_cast<std::size_t>(slot - slots_.data());
  withdraw(*f.connection);
  return true;
}

bool flight_board::enqueue(flight& f) {
  if (waiting_ >= max_waiting_) return false;
  (f.client ? clients_[*f.client].waiting : waiting_for_any_).push_back(f);
  ++waiting_;
  return true;
}

flight* flight_board::next_for(std::size_t connection) {
  auto& own = clients_[client_of(connection)];
  flight_queue* from = &waiting_for_any_;
  if (!own.waiting.empty() && (from->empty() || own.waiting.front().due < from->front().due)) {
    from = &own.waiting;
  }
  if (from->empty()) {
    own.idle.push_back(slots_[connection]);
    idle_.push_back(slots_[connection]);
    return nullptr;
  }
  flight& f = from->front();
  from->pop_front();
  --waiting_;
  f.connection = connection;
  return &f;
}

void flight_board::withdraw(std::size_t connection) {
  slots_[connection].of_client.unlink();
  slots_[connection].of_all.unlink();
}

void flight_board::close(flight& f) {
  if (f.waiting_hook.is_linked()) {
    f.waiting_hook.unlink();
    --waiting_;
  }
  f.outstanding_hook.unlink();
  --outstanding_count_;
  free_.push_back(&f);
}

flight* flight_board::oldest() {
  return outstanding_.empty() ? nullptr : &outstanding_.front();
}

}  // namespace scalekit::ops::detail
