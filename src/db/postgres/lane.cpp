#include "db/postgres/lane.hpp"

#include "db/call_site.hpp"
#include "db/postgres/drive.hpp"
#include "db/postgres/own_exchange.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace scalekit::db::postgres {

namespace asio = boost::asio;
using detail::returned;
using std::chrono::steady_clock;

namespace {

/// Of one group: a group shares its latency.
constexpr std::size_t max_group = 512;
/// Groups under way: one that the server works on, and one that it finds when that is done. What
/// comes meanwhile gathers to a larger one, which costs the server less.
constexpr std::size_t max_groups = 2;
/// Threads share one: where it is answered sooner than this, the next is worth waiting for.
constexpr std::chrono::microseconds quick_answer{500};
/// Answers that are read before they are given out: so few that all stays in the processor's cache.
constexpr std::size_t read_at_once = 32;

std::exception_ptr closed_error(const std::string& server) {
  return std::make_exception_ptr(
      error(make_error_code(errc::closed), {"the client was closed", {}, {}, server}));
}

}  // namespace

lane::lane(std::shared_ptr<host_pool> pool, asio::any_io_executor loop,
           std::chrono::nanoseconds patience, bool is_one_of_many, callers of)
    : pool_(std::move(pool)),
      loop_(std::move(loop)),
      strand_(asio::make_strand(loop_)),
      patience_(patience),
      is_one_of_many_(is_one_of_many),
      callers_(of) {}

void lane::submit(lane_member_ptr m) {
  load_.fetch_add(1, std::memory_order_relaxed);
  {
    std::lock_guard lock(inbox_mutex_);
    inbox_.push_back(std::move(m));
    if (std::exchange(turning_, true)) return;
  }
  asio::post(strand_, [kept = stake(shared_from_this())]() mutable { kept.take()->turn(); });
}

void lane::abandon(const lane_member_ptr& m, std::exception_ptr why) {
  asio::post(strand_, [self = shared_from_this(), m, why = std::move(why)] {
    self->settle(m, why);
    self->plan(self->stall_due());
  });
}

std::future<void> lane::collected() {
  // Behind the turn that collects them. A loop that goes breaks the promise.
  return asio::post(strand_, asio::use_future);
}

void lane::close() {
  asio::post(strand_, [self = shared_from_this()] {
    self->closed_ = true;
    self->settle_all(closed_error(self->pool_->name()));
    if (self->timer_) self->timer_->cancel();
    if (!self->lent_) return;
    if (self->lent_->port) self->lent_->port->cancel();
    self->waiting_ = self->writing_ = false;
    self->lent_.give_back(returned::needs_reset);
  });
}

/// Takes what has come and sends it; what is submitted meanwhile waits for the end of the turn.
void lane::turn() {
  const auto came = collect();
  pump();
  turn_away(came);
}

/// How many have come.
std::size_t lane::collect() {
  {
    std::lock_guard lock(inbox_mutex_);
    collected_.swap(inbox_);
    turning_ = false;
  }
  const auto came = collected_.size();
  auto first = time_point::max();
  for (auto& m : collected_) {
    // It may have been abandoned before it came here.
    if (m->settled) continue;
    first = std::min(first, due(*m));
    queue_.push_back(std::move(m));
  }
  collected_.clear();
  if (closed_) {
    settle_all(closed_error(pool_->name()));
  } else {
    plan(std::min(first, stall_due()));
  }
  return came;
}

bool lane::have_connection() {
  if (lent_ || asking_) return bool(lent_);
  const detail::pool_user user{.site = queue_.front()->site(), .reads = true};
  const auto now = steady_clock::now();
  while (auto lent = pool_->try_take(user, now)) {
    if (!is_usable(lent)) {
      lent.give_back(returned::broken);
      continue;
    }
    connected(nullptr, std::move(lent));
    return bool(lent_);
  }
  asking_ = true;
  asked_at_ = now;
  // Each member's own patience ends its wait, and nobody else's.
  auto first = time_point::max();
  auto last = now;
  for (const auto& m : queue_) {
    first = std::min(first, due(*m));
    last = std::max(last, end_of_wait(*m));
  }
  plan(first);
  pool_->async_take(
      user, waits_since(*queue_.front()), last, {}, {},
      [strand = strand_, kept = std::make_shared<stake>(shared_from_this())](std::exception_ptr e,
                                                                             lent_connection got) {
        asio::post(strand, [kept, e = std::move(e),
                            c = std::make_shared<lent_connection>(std::move(got))]() mutable {
          const auto self = kept->take();
          self->asking_ = false;
          if (*c && !self->is_usable(*c)) {
            c->give_back(returned::broken);
          } else {
            self->connected(std::move(e), std::move(*c));
          }
          self->pump();
        });
      },
      loop_);
  return false;
}

/// What was closed while it idled is found out before anything depends on it.
bool lane::is_usable(const lent_connection& lent) const {
  return (!suspicious_ && lent.is_fresh()) || is_alive(*lent->wire);
}

void lane::connected(std::exception_ptr e, lent_connection lent) {
  if (e) return waited_in_vain(e);
  if (closed_) return;
  lent_ = std::move(lent);
  ++epoch_;
  has_sent_ = false;
  reactor_port::attach(*lent_, loop_);
  if (lent_->read_only != true) {
    send_own(*lent_, "set default_transaction_read_only = on");
    lent_->read_only = true;
  }
}

void lane::pump() {
  std::erase_if(queue_, [](const auto& m) { return m->settled; });
  for (bool goes_on = true; goes_on;) {
    if (!queue_.empty() && have_connection() && may_send()) send_group();
    if (!lent_) return;
    if (!lent_->wire->is_quiet()) return wait();
    rest();
    // Behind those for whom it was given back.
    goes_on = !lent_ && !queue_.empty();
  }
}

bool lane::may_send() const {
  const auto under_way = lent_->wire->groups_under_way();
  const bool gathers = callers_ == callers::threads && round_trip_ < quick_answer;
  if (under_way >= (gathers ? 1 : max_groups)) return false;
  if (under_way == 0 && (waiting_ || writing_)) return true;
  return !has_sent_ || !lent_.is_wanted_back();
}

void lane::send_group() {
  has_sent_ = true;
  auto& wire = *lent_->wire;
  const auto now = steady_clock::now();
  std::deque<lane_member_ptr> later;
  std::size_t in_group = 0;
  while (!queue_.empty() && flying_.size() < max_under_way && flying_bytes_ < max_bytes_under_way) {
    auto m = std::move(queue_.front());
    queue_.pop_front();
    if (m->settled) continue;
    if (is_one_of_many_ && is_unfit(m)) continue;
    m->sent_at = now;
    if (!m->was_sent()) m->first_sent_at = now;
    try {
      switch (wire.of(*m)) {
        case link::readiness::absent:
          // Its preparation is a group of its own: what was sent before it ends there.
          if (in_group > 0) wire.sync();
          in_group = 0;
          wire.prepare(m);
          break;
        case link::readiness::preparing:
          later.push_back(std::move(m));
          continue;
        case link::readiness::ready:
          if (m->alone && in_group > 0) {
            wire.sync();
            in_group = 0;
          }
          wire.send(m);
          ++m->runs;
          ++in_group;
          if (m->alone || in_group >= max_group) {
            wire.sync();
            in_group = 0;
          }
          break;
      }
    } catch (...) {
      // Its parameters do not fit: nothing was sent.
      settle(m, detail::with_place(std::current_exception(), m->site()));
      continue;
    }
    m->flying = true;
    flying_bytes_ += m->bytes;
    flying_.push_back(std::move(m));
  }
  if (in_group > 0) wire.sync();
  for (auto& m : later) queue_.push_back(std::move(m));
}

/// Settles it where its connection is not what it was sent here for.
bool lane::is_unfit(const lane_member_ptr& m) {
  m->unfit = misfit_of(m->expected(), *lent_);
  if (m->unfit == misfit::none) return false;
  settle(m, std::make_exception_ptr(misrouted_by(m->unfit, *lent_, m->site()).why));
  return true;
}

void lane::wait() {
  auto& port = *lent_->port;
  if (!lent_->wire->flush() && !std::exchange(writing_, true)) {
    port.wait_writable(strand_, [kept = stake(shared_from_this()),
                                 epoch = epoch_](boost::system::error_code ec) mutable {
      const auto self = kept.take();
      if (ec || !self->lent_ || epoch != self->epoch_) return;
      self->writing_ = false;
      self->pump();
    });
  }
  if (lent_->wire->is_broken()) {
    asio::post(strand_, [kept = stake(shared_from_this()), epoch = epoch_]() mutable {
      const auto self = kept.take();
      if (self->lent_ && epoch == self->epoch_) self->on_ready();
    });
    return;
  }
  if (std::exchange(waiting_, true)) return;
  port.wait_readable(strand_, [kept = stake(shared_from_this()),
                               epoch = epoch_](boost::system::error_code ec) mutable {
    const auto self = kept.take();
    if (ec || !self->lent_ || epoch != self->epoch_) return;
    self->waiting_ = false;
    self->on_ready();
  });
}

void lane::on_ready() {
  {
    // Whoever goes on because of what comes now finds its next call sent by this very turn.
    std::lock_guard lock(inbox_mutex_);
    turning_ = true;
  }
  for (bool more = true; more && lent_;) {
    more = lent_->wire->read(ended_, read_at_once);
    sort_out(ended_);
    ended_.clear();
    if (std::exchange(ending_, false)) drop("the server ended the connection");
    release_broken();
    for (auto& m : to_settle_) {
      // One by one: what its caller asks for next finds the memory that it leaves.
      const auto done = std::move(m);
      settle(done, nullptr);
    }
    to_settle_.clear();
  }
  turn();
}

/// What is under way is lost, and run once more on another connection.
void lane::drop(std::string why) {
  lent_->wire->break_off(std::move(why), ended_);
  sort_out(ended_);
  ended_.clear();
}

void lane::release_broken() {
  if (!lent_->wire->is_broken()) return;
  if (waiting_ || writing_) lent_->port->cancel();
  waiting_ = writing_ = false;
  suspicious_ = true;
  lost_at_ = steady_clock::now();
  const auto server = lent_->wire->origin();
  lent_.give_back(returned::broken);
  if (!is_one_of_many_ || giving_up_) return;
  // They came here for what the server knew before.
  const auto lost = std::make_exception_ptr(
      error(make_error_code(errc::connection_lost),
            {"the connection was lost before the statement was sent", {}, {}, server}));
  for (auto& m : std::exchange(queue_, {})) settle(m, lost);
}

void lane::settle(const lane_member_ptr& m, std::exception_ptr failure) {
  if (std::exchange(m->settled, true)) return;
  load_.fetch_sub(1, std::memory_order_relaxed);
  m->settle(std::move(failure));
}

void lane::settle_all(const std::exception_ptr& failure) {
  for (auto& m : std::exchange(queue_, {})) settle(m, failure);
  flying_bytes_ = 0;
  for (auto& m : std::exchange(flying_, {})) settle(m, failure);
}

void lane::forsake() noexcept {
  std::vector<lane_member_ptr> inbox;
  {
    std::lock_guard lock(inbox_mutex_);
    inbox.swap(inbox_);
  }
  // The last of them may be the last to know the client, and this.
  const auto queue = std::exchange(queue_, {});
  const auto flying = std::exchange(flying_, {});
}

/// Nothing is under way: the connection is for others.
void lane::rest() {
  if (timer_ && flying_.empty() && queue_.empty()) {
    planned_ = time_point::max();
    timer_->cancel();
  }
  if (!waiting_ && !writing_) lent_.give_back(returned::healthy);
}

}  // namespace scalekit::db::postgres
