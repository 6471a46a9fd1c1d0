#include "redis/as_eval.hpp"
#include "redis/lane.hpp"
#include "redis/master_watch.hpp"
#include "redis/server_error.hpp"

#include <boost/asio/error.hpp>

#include <chrono>
#include <utility>

// What becomes of the calls of a lane by what its server, or the loss of it, has answered.

namespace scalekit::redis::detail {

using std::chrono::steady_clock;

namespace {

/// So many answers are given out before what they led to is sent: so few that the server gets
/// something to do while the rest is read.
constexpr std::size_t answers_between_writes = 64;

}  // namespace

void lane::on_read(const wire_ptr& w, const boost::system::error_code& ec, std::size_t size) {
  {
    // Whoever goes on because of what comes now finds its next call sent by this very turn.
    std::lock_guard lock(inbox_mutex_);
    turning_ = true;
  }
  std::string why;
  if (ec) {
    why = ec == boost::asio::error::eof ? std::string("the server closed the connection")
                                        : "reading failed: " + ec.message();
  } else {
    last_heard_ = steady_clock::now();
    site_->counted.received.add(size);
    if (w->take(size, why) && w->unsent() > 0) flush();
  }
  if (wire_ != w) return turn();
  const bool is_login = state_ == state::login;
  if (!why.empty()) {
    is_login ? dial_failed(why, false) : lose(why, blame::nobody);
  } else {
    is_login ? on_login(w) : read_answers(w);
  }
  turn();
}

void lane::read_answers(const wire_ptr& w) {
  std::size_t given = 0;
  while (auto answer = w->reader.next()) {
    if (flying_.empty()) return lose("the server said what nobody asked for", blame::nobody);
    deliver(std::move(*answer));
    if (++given % answers_between_writes != 0) continue;
    collect(false);
    // Not pump(), which would read into what is being read here.
    if (state_ == state::ready) send_waiting();
    if (wire_ != w) return;
  }
  using failure = reply_reader::failure;
  if (w->reader.failed() == failure::too_large) lose(w->reader.why(), blame::reply_too_large);
  if (w->reader.failed() == failure::protocol) lose(w->reader.why(), blame::not_redis);
}

void lane::deliver(reply&& next) {
  auto& front = *flying_.front();
  auto answer = take_answer(front.to_come, front.what, std::move(next));
  if (!answer) return;
  auto c = std::move(flying_.front());
  flying_.pop_front();
  in_flight_.store(flying_.size(), std::memory_order_relaxed);
  if (!c->is_settled && answer->kind == reply_kind::error) {
    return deliver_refusal(std::move(c), *answer);
  }
  leave(*c);
  if (std::exchange(c->is_settled, true)) return;
  c->finish(nullptr, std::move(*answer));
}

void lane::deliver_refusal(call_ptr c, const reply& answer) {
  if (is_unknown_script(c->what, answer)) {
    make_eval(c->what);
    c->attempts = 0;
    site_->counted.scripts_sent.add();
    queue_.push_front(std::move(c));
    return;
  }
  if (master_ && is_demotion(c->to_come, answer)) {
    site_->master->suspect(master_->term);
    if (c->times_given_back + 1U < site_->params.max_attempts) return take_to_master(std::move(c));
  }
  site_->counted.refused.add();
  leave(*c);
  settle(c, refusal_of(c->to_come, c->what, answer, site_->name));
}

void lane::lose(const std::string& why, blame first) {
  site_->counted.lost.add();
  site_->log(log_level::warning, "redis.lost",
             why + "; " + std::to_string(flying_.size()) + " calls were under way", server_);
  const auto now = steady_clock::now();
  auto flying = std::exchange(flying_, {});
  drop_wire();
  std::deque<call_ptr> again;
  for (auto& c : flying) {
    c->to_come = {};
    if (c->is_settled) {
      leave(*c);
    } else if (first == blame::nobody && c->may_repeat &&
               c->attempts < site_->params.max_attempts) {
      site_->counted.repeated.add();
      c->since = now;
      again.push_back(std::move(c));
    } else {
      leave(*c);
      settle_unfit(c, why, first);
    }
    // Of the others it is nobody's fault.
    first = blame::nobody;
  }
  queue_.insert(queue_.begin(), std::make_move_iterator(again.begin()),
                std::make_move_iterator(again.end()));
  plan_all();
}

void lane::settle_unfit(const call_ptr& c, const std::string& why, blame first) {
  settle(c, first == blame::reply_too_large ? too_large_reply(fate_of(*c), why)
                                            : lost_error(fate_of(*c), why));
}

/// What was under way on it has been seen to, or is settled.
void lane::drop_wire() noexcept {
  for (const auto& c : flying_) leave(*c);
  flying_.clear();
  in_flight_.store(0, std::memory_order_relaxed);
  connected_.store(false, std::memory_order_relaxed);
  if (state_ != state::pausing) state_ = state::off;
  login_.reset();
  is_outdated_ = false;
  given_back_ = 0;
  if (!wire_) return;
  boost::system::error_code ignored;
  wire_->socket.close(ignored);
  wire_.reset();
}

}  // namespace scalekit::redis::detail
