#include "redis/lane.hpp"

#include "scalekit/core/settings_text.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace scalekit::redis::detail {

namespace asio = boost::asio;
using std::chrono::steady_clock;

namespace {

/// Bytes that are written out before the socket has taken those before them: what does not fit into
/// the system's buffers anyway can as well stay with its call.
constexpr std::size_t outbox_bytes = std::size_t{1} << 20;
/// A connection that has been idle for longer is looked at before it is used.
constexpr std::chrono::milliseconds fresh_for{10};

}  // namespace

lane::lane(std::shared_ptr<site> at, const asio::any_io_executor& loop, lane_use use)
    : site_(std::move(at)),
      loop_(loop),
      strand_(asio::make_strand(loop)),
      use_(use),
      max_in_flight_(use == lane_use::exclusive ? 1 : site_->params.max_in_flight),
      server_(site_->where),
      dial_timer_(strand_),
      timer_(strand_) {}

void cancel(const call_ptr& c) {
  const auto in = c->in.lock();
  if (!in) return;
  // Whether it was sent is its owner's to know.
  in->abandon(c, nullptr);
}

void lane::admit(call& c) {
  const auto& p = site_->params;
  c.weight = c.what.size();
  const auto before = load_.fetch_add(one_call + c.weight, std::memory_order_relaxed);
  const auto calls = before >> size_bits;
  const auto bytes = before & (one_call - 1);
  const bool too_many = calls >= max_in_flight_ + p.max_backlog;
  const bool too_much = calls > 0 && bytes + c.weight > p.max_backlog_bytes;
  if (!too_many && !too_much) return;
  load_.fetch_sub(one_call + c.weight, std::memory_order_relaxed);
  throw shed_error(fate_of(c), std::to_string(calls) + " calls of " + format_size(bytes) +
                                   " wait or are under way already; the limits are " +
                                   std::to_string(max_in_flight_ + p.max_backlog) + " and " +
                                   format_size(p.max_backlog_bytes));
}

void lane::submit(call_ptr c) {
  admit(*c);
  c->in = weak_from_this();
  c->watch();
  {
    std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(c));
    if (std::exchange(turning_, true)) return;
  }
  asio::post(strand_, [kept = stake(shared_from_this())]() mutable { kept.take()->turn(); });
}

void lane::abandon(const call_ptr& c, std::exception_ptr why) {
  asio::post(strand_, [kept = stake(shared_from_this()), c, why = std::move(why)]() mutable {
    const auto self = kept.take();
    if (!c->has_arrived) {
      c->stillborn = why ? why : std::make_exception_ptr(cancelled_error(self->fate_of(*c)));
      return;
    }
    if (c->is_settled) return;
    self->settle(c, why ? to_error(why) : cancelled_error(self->fate_of(*c)));
    if (c->to_come.awaited == 0) {
      if (++self->dead_in_queue_ > 64 + self->queue_.size() / 2) {
        self->purge();
      }
    } else if (self->use_ == lane_use::exclusive) {
      // The server still waits on its behalf.
      self->drop_wire();
    }
    self->turn();
  });
}

void lane::close() {
  asio::post(strand_, [kept = stake(shared_from_this())]() mutable { kept.take()->close_now(); });
}

void lane::close_now() {
  is_over_ = true;
  collect(true);
  for (const auto* group : {&flying_, &queue_}) {
    for (const auto& c : *group) {
      if (!c->is_settled) settle(c, closed_error(fate_of(*c)));
    }
  }
  drop_wire();
  ++dial_;
  dial_timer_.cancel();
  purge();
  rest();
}

/// Takes what has come and sends it; what is submitted meanwhile waits for the end of the turn.
void lane::turn() {
  collect(true);
  pump();
}

void lane::collect(bool is_last) {
  {
    std::lock_guard lock(inbox_mutex_);
    collected_.swap(inbox_);
    if (is_last) turning_ = false;
  }
  if (collected_.empty()) return;
  auto first = time_point::max();
  const auto now = steady_clock::now();
  for (auto& c : collected_) take_in(std::move(c), now, first);
  collected_.clear();
  plan(first);
}

void lane::take_in(call_ptr c, time_point now, time_point& first) {
  c->has_arrived = true;
  if (c->stillborn) {
    settle(c, to_error(c->stillborn));
  } else if (is_over_) {
    settle(c, closed_error(fate_of(*c)));
  } else if (c->until <= now) {
    settle(c, late_error(fate_of(*c), condition(), now, now));
  } else if (is_outage(now) && (state_ != state::off || now < next_dial_ || !queue_.empty())) {
    settle(c, unreachable_error(fate_of(*c), condition()));
  }
  if (c->is_settled) return leave(*c);
  first = std::min(first, due(*c));
  queue_.push_back(std::move(c));
}

void lane::pump() {
  if (is_over_) return;
  if (state_ == state::ready) send_waiting();
  if (state_ == state::off && !queue_.empty()) dial();
  await_answers();
  rest();
}

void lane::send_waiting() {
  if (is_outdated_) {
    if (flying_.empty()) drop_wire();
    return;
  }
  if (queue_.empty()) return;
  const auto now = steady_clock::now();
  if (flying_.empty() && now - last_heard_ > fresh_for && !wire_->is_quiet()) {
    // Nothing was under way: nobody has to know.
    return drop_wire();
  }
  auto& out = wire_->outbox();
  std::size_t sent = 0;
  const bool was_idle = flying_.empty();
  while (!queue_.empty() && flying_.size() < max_in_flight_ && wire_->unsent() < outbox_bytes) {
    auto c = std::move(queue_.front());
    queue_.pop_front();
    if (c->is_settled) {
      if (dead_in_queue_ > 0) --dead_in_queue_;
      leave(*c);
      continue;
    }
    out.append(c->what.wire());
    c->to_come = {.awaited = c->what.replies};
    c->sent_at = now;
    ++c->attempts;
    ++sent;
    flying_.push_back(std::move(c));
  }
  in_flight_.store(flying_.size(), std::memory_order_relaxed);
  if (sent == 0) return;
  site_->counted.writes.add();
  if (was_idle) plan(silence_due());
  flush();
}

void lane::flush() {
  // Its handler goes on.
  if (wire_->is_writing) return;
  boost::system::error_code ec;
  std::size_t written = 0;
  const bool all = wire_->flush(ec, written);
  site_->counted.sent.add(written);
  if (ec) {
    const auto why = "writing failed: " + ec.message();
    return state_ == state::login ? dial_failed(why, false) : lose(why, blame::nobody);
  }
  if (all) return;
  wire_->is_writing = true;
  wire_->socket.async_wait(
      asio::socket_base::wait_write,
      asio::bind_executor(strand_, [kept = stake(shared_from_this()),
                                    w = wire_](const boost::system::error_code& failed) mutable {
        const auto self = kept.take();
        w->is_writing = false;
        if (self->wire_ != w || failed) return;
        self->last_room_ = steady_clock::now();
        self->flush();
        self->pump();
      }));
}

void lane::await_answers() {
  if (!wire_ || wire_->is_reading) return;
  if (flying_.empty() && state_ != state::login) return;
  wire_->is_reading = true;
  wire_->socket.async_read_some(
      asio::buffer(wire_->in),
      asio::bind_executor(strand_,
                          [kept = stake(shared_from_this()), w = wire_](
                              const boost::system::error_code& ec, std::size_t size) mutable {
                            const auto self = kept.take();
                            w->is_reading = false;
                            if (self->wire_ == w) self->on_read(w, ec, size);
                          }));
}

/// Nothing to do: no timer keeps a loop at work.
void lane::rest() {
  if (!flying_.empty() || !queue_.empty()) return;
  if (planned_ != time_point::max()) {
    planned_ = time_point::max();
    timer_.cancel();
  }
  if (state_ == state::pausing) {
    state_ = state::off;
    dial_timer_.cancel();
  }
}

void lane::settle(const call_ptr& c, const error& failure) {
  if (std::exchange(c->is_settled, true)) return;
  c->finish(std::make_exception_ptr(site_->count(failure)), {});
}

void lane::leave(call& c) noexcept {
  load_.fetch_sub(one_call + c.weight, std::memory_order_relaxed);
}

/// What nobody waits for, and was not sent, is not kept.
void lane::purge() {
  dead_in_queue_ = 0;
  std::erase_if(queue_, [this](const call_ptr& c) {
    if (c->is_settled) leave(*c);
    return c->is_settled;
  });
}

/// One timer for all: it stands at the earliest deadline of those that have come since it rang.
void lane::plan(time_point until) {
  if (until >= planned_) return;
  planned_ = until;
  timer_.expires_at(until);
  timer_.async_wait([weak = weak_from_this(), until](const boost::system::error_code& ec) {
    const auto self = weak.lock();
    if (!ec && self && self->planned_ == until) self->expire();
  });
}

void lane::plan_all() {
  auto next = silence_due();
  for (const auto* group : {&flying_, &queue_}) {
    for (const auto& c : *group) {
      if (!c->is_settled) next = std::min(next, due(*c));
    }
  }
  plan(next);
}

void lane::expire() {
  planned_ = time_point::max();
  const auto now = steady_clock::now();
  std::vector<call_ptr> late;
  for (const auto* group : {&flying_, &queue_}) {
    for (const auto& c : *group) {
      if (!c->is_settled && due(*c) <= now) late.push_back(c);
    }
  }
  const auto before = condition();
  for (const auto& c : late) {
    const bool was_sent = c->to_come.awaited > 0;
    settle(c, was_sent || c->until <= now ? late_error(fate_of(*c), before, c->sent_at, now)
                                          : unreachable_error(fate_of(*c), before));
  }
  purge();
  if (use_ == lane_use::exclusive && !flying_.empty() && flying_.front()->is_settled) drop_wire();
  if (now >= silence_due()) give_up(now);
  plan_all();
  turn();
}

void lane::give_up(time_point now) {
  if (!wire_->is_quiet()) {
    // Something has come, and only the loop has not: it was held up.
    last_heard_ = now;
    return;
  }
  site_->counted.given_up.add();
  const auto why = "given up: nothing came for " + format_duration(site_->params.silence_timeout) +
                   " while " + std::to_string(flying_.size()) + " calls were under way";
  site_->log(log_level::warning, "redis.given_up", why, server_);
  lose(why, blame::nobody);
}

time_point lane::due(const call& c) const noexcept {
  if (c.to_come.awaited > 0 || state_ == state::ready) return c.until;
  return std::min(c.until, c.since + site_->params.acquire_timeout);
}

time_point lane::silence_due() const noexcept {
  if (flying_.empty() || use_ == lane_use::exclusive) return time_point::max();
  return std::max({last_heard_, last_room_, flying_.front()->sent_at}) +
         site_->params.silence_timeout;
}

call_fate lane::fate_of(const call& c) const noexcept {
  return {c.what.name, site_->name, c.attempts > 0, c.may_repeat};
}

connection_state lane::condition() const {
  const auto load = load_.load(std::memory_order_relaxed);
  const auto calls = static_cast<std::size_t>(load >> size_bits);
  return {.is_connected = state_ == state::ready,
          .in_flight = flying_.size(),
          .waiting = calls - std::min(calls, flying_.size()),
          .bytes = static_cast<std::size_t>(load & (one_call - 1)),
          .last_heard = last_heard_,
          .dial_failure = last_failure_,
          .dial_code = last_code_};
}

void lane::add_to(lane_statistics& s) const noexcept {
  const auto load = load_.load(std::memory_order_relaxed);
  const auto calls = static_cast<std::size_t>(load >> size_bits);
  const auto in_flight = std::min(calls, in_flight_.load(std::memory_order_relaxed));
  if (connected_.load(std::memory_order_relaxed)) ++s.connected;
  s.in_flight += in_flight;
  s.waiting += calls - in_flight;
  s.bytes += static_cast<std::size_t>(load & (one_call - 1));
}

void lane::forsake() noexcept {
  leave_loop();
  std::vector<call_ptr> inbox;
  {
    std::lock_guard lock(inbox_mutex_);
    inbox.swap(inbox_);
  }
  // The last of them may be the last to know the client, and this.
  const auto queue = std::exchange(queue_, {});
  const auto flying = std::exchange(flying_, {});
}

}  // namespace scalekit::redis::detail
