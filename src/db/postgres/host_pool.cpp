#include "db/postgres/host_pool.hpp"

#include "db/postgres/reactor_port.hpp"
#include "db/postgres/server_log.hpp"
#include "scalekit/core/detail/post.hpp"
#include "scalekit/core/error.hpp"

#include <boost/asio/post.hpp>

#include <array>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

namespace asio = boost::asio;
using detail::pool_action;
using detail::pool_actions;
using detail::pool_refusal;
using detail::returned;
using detail::slot_id;
using std::chrono::steady_clock;

namespace {
constexpr std::chrono::seconds fresh_enough{1};
}  // namespace

struct host_pool::waiter : detail::pool_waiter {
  virtual ~waiter() = default;
  /// Under the pool's mutex: no longer waits. Returns itself when it is async.
  virtual std::shared_ptr<async_waiter> resolved() = 0;
};

struct host_pool::blocking_waiter final : waiter {
  std::shared_ptr<async_waiter> resolved() override {
    wake.notify_one();
    return nullptr;
  }

  std::condition_variable wake;
};

struct host_pool::async_waiter final : waiter, std::enable_shared_from_this<async_waiter> {
  using stop_callback = std::stop_callback<std::function<void()>>;

  std::shared_ptr<async_waiter> resolved() override {
    timer->cancel();
    return std::exchange(self, nullptr);
  }

  granted then;
  asio::any_io_executor executor;
  // Only touched under the pool's mutex: a timer is not thread-safe.
  std::optional<asio::steady_timer> timer;
  // Keeps it alive while the queue points at it.
  std::shared_ptr<async_waiter> self;
  std::exception_ptr failure;
  lent_connection lent;
  std::optional<stop_callback> on_stop, on_also_stop;

  void finish() { std::exchange(then, nullptr)(std::move(failure), std::move(lent)); }
};

void lent_connection::give_back(returned how) noexcept {
  if (std::exchange(connection_, nullptr) != nullptr) pool_->give_back(slot_, how);
}

bool lent_connection::is_fresh() const noexcept {
  const auto used = connection_->last_used;
  return steady_clock::now() - used < fresh_enough &&
         used > pool_->lost_at_.load(std::memory_order_relaxed);
}

void lent_connection::lent_to(std::thread::id thread) const {
  std::lock_guard held(pool_->mutex_);
  pool_->core_.lent_to(slot_, thread);
}

bool lent_connection::is_wanted_back() const {
  std::lock_guard held(pool_->mutex_);
  return pool_->core_.wants_back(slot_, steady_clock::now());
}

host_pool::host_pool(server_address server, const client_params& params,
                     std::shared_ptr<io_home> io)
    : server_(std::move(server)),
      params_(params),
      io_(std::move(io)),
      pooled_(params.transaction_pooler),
      core_(server_.name, params.pool, params.max_waiting, std::random_device{}(),
            steady_clock::now()),
      slots_(params.pool.max),
      workers_({.threads = params.pool.max_dials + 1, .max_queued = 100'000, .name = "sk-db-dial"}),
      menders_({.threads = 2, .max_queued = 100'000, .name = "sk-db-mend"}) {}

host_pool::~host_pool() = default;

void host_pool::share_with_fleet(std::size_t beside) {
  fleet_ = std::make_shared<fleet_keeper>(
      server_, params_, beside, [weak = weak_from_this()](const detail::fleet_limit& limit) {
        if (auto self = weak.lock()) self->set_limits(limit);
      });
  // Nothing is done for it yet: a thread would begin before the first use.
  lock held(mutex_);
  pool_actions none;
  const auto& limit = fleet_->limit();
  core_.set_limits(limit.min, limit.max, limit.why, steady_clock::now(), none);
}

void host_pool::set_limits(const detail::fleet_limit& limit) {
  report([&](pool_actions& out) {
    core_.set_limits(limit.min, limit.max, limit.why, steady_clock::now(), out);
  });
}

lent_connection host_pool::try_take(const detail::pool_user& user, time_point now) {
  std::lock_guard held(mutex_);
  const auto slot = core_.try_acquire(user, now);
  if (slot == detail::no_slot) return {};
  plan();
  return {shared_from_this(), slot, *slots_[slot]};
}

lent_connection host_pool::take(const detail::pool_user& user, const detail::call_frame& call,
                                time_point until, bool& waited) {
  lock held(mutex_);
  if (const auto slot = core_.try_acquire(user, call.begun); slot != detail::no_slot) [[likely]] {
    plan();
    return {shared_from_this(), slot, *slots_[slot]};
  }
  waited = true;
  blocking_waiter self;
  self.user = user;
  self.since = call.begun;
  self.until = until;
  pool_actions actions;
  const auto why = core_.enqueue(self, steady_clock::now(), actions);
  act(held, actions);
  if (why != pool_refusal::none) std::rethrow_exception(refusal(self, why));

  auto notify = [&] {
    std::lock_guard inner(mutex_);
    self.wake.notify_one();
  };
  std::array<std::optional<std::stop_callback<decltype(notify)>>, 3> watching;
  held.unlock();
  for (std::size_t i = 0; i < watching.size(); ++i) {
    if (call.stops[i] != nullptr && call.stops[i]->stop_possible()) {
      watching[i].emplace(*call.stops[i], notify);
    }
  }
  held.lock();
  self.wake.wait_until(held, until, [&] {
    return self.now != detail::pool_waiter::state::waiting || call.is_stopped();
  });
  const auto leaving = call.is_stopped() ? pool_refusal::cancelled : pool_refusal::timeout;
  actions.clear();
  const bool left = core_.abandon(self, leaving, steady_clock::now(), actions);
  act(held, actions);
  const auto failure = left                                              ? refusal(self, leaving)
                       : self.now == detail::pool_waiter::state::refused ? refusal(self, self.why)
                                                                         : std::exception_ptr();
  held.unlock();
  // The callbacks take the mutex.
  for (auto& each : watching) each.reset();
  if (failure) std::rethrow_exception(failure);
  return {shared_from_this(), self.slot, *slots_[self.slot]};
}

void host_pool::async_take(const detail::pool_user& user, time_point since, time_point until,
                           std::stop_token stop, std::stop_token also_stop, granted then,
                           const asio::any_io_executor& on) {
  auto self = std::make_shared<async_waiter>();
  self->user = user;
  self->since = since;
  self->until = until;
  self->then = std::move(then);
  const auto executor = on ? on : io_->executor();
  self->executor = executor;
  auto finish_later = [&] { asio::post(executor, [self] { self->finish(); }); };

  lock held(mutex_);
  if (const auto slot = core_.try_acquire(user, since); slot != detail::no_slot) {
    plan();
    self->lent = {shared_from_this(), slot, *slots_[slot]};
    held.unlock();
    return finish_later();
  }
  self->timer.emplace(executor, until);
  self->self = self;
  pool_actions actions;
  const auto why = core_.enqueue(*self, steady_clock::now(), actions);
  if (why != pool_refusal::none) {
    self->self.reset();
    self->failure = refusal(*self, why);
  } else {
    self->timer->async_wait(
        [pool = weak_from_this(), weak = std::weak_ptr(self)](boost::system::error_code ec) {
          auto p = pool.lock();
          auto w = weak.lock();
          if (!ec && p && w) p->leave(w, pool_refusal::timeout);
        });
  }
  act(held, actions);
  held.unlock();
  if (why != pool_refusal::none) return finish_later();

  // Only posts: it may run inside request_stop() of a thread that holds locks of its own.
  auto abandon = [pool = weak_from_this(), weak = std::weak_ptr(self), executor] {
    scalekit::detail::post_from_outside(executor, [pool, weak] {
      auto p = pool.lock();
      auto w = weak.lock();
      if (p && w) p->leave(w, pool_refusal::cancelled);
    });
  };
  if (stop.stop_possible()) self->on_stop.emplace(std::move(stop), abandon);
  if (also_stop.stop_possible()) self->on_also_stop.emplace(std::move(also_stop), abandon);
}

void host_pool::leave(const std::shared_ptr<async_waiter>& w, pool_refusal why) {
  {
    lock held(mutex_);
    pool_actions actions;
    if (!core_.abandon(*w, why, steady_clock::now(), actions)) return;
    w->resolved();
    w->failure = refusal(*w, why);
    act(held, actions);
  }
  w->finish();
}

void host_pool::give_back(slot_id slot, returned how) noexcept {
  if (guard_.is_forked()) return;
  lock held(mutex_);
  auto& c = *slots_[slot];
  // Whatever its user believes.
  if (c.wire->is_broken()) {
    how = returned::broken;
  } else if (!c.wire->is_quiet() || c.wire->transaction_status() != PQTRANS_IDLE) {
    how = returned::needs_reset;
  } else if (c.outdated) {
    how = returned::outdated;
  } else if (c.spent) {
    how = returned::spent;
  }
  if (how != returned::healthy) c.port.reset();
  c.last_used = steady_clock::now();
  if (how == returned::broken) lost_at_.store(c.last_used, std::memory_order_relaxed);
  pool_actions actions;
  core_.release(slot, how, c.last_used, actions);
  actions.empty() ? plan() : act(held, actions);
  if (closing_.load(std::memory_order_relaxed)) idle_.notify_all();
}

/// What belongs to the host's loop (ports, and what is posted there) is touched under the mutex
/// only: once close() has returned, no thread of the pool's does so any more.
void host_pool::act(lock& held, pool_actions& actions) {
  while (!actions.empty()) {
    std::vector<std::shared_ptr<async_waiter>> woken;
    std::vector<std::pair<slot_id, std::unique_ptr<connection>>> doomed;
    std::vector<std::pair<std::string_view, std::string>> events;
    for (const auto& a : actions) {
      switch (a.what) {
        case pool_action::kind::grant:
        case pool_action::kind::refuse: {
          auto async = static_cast<waiter*>(a.waiter)->resolved();
          if (!async) break;
          if (a.what == pool_action::kind::grant) {
            async->lent = {shared_from_this(), async->slot, *slots_[async->slot]};
          } else {
            async->failure = refusal(*async, async->why);
          }
          woken.push_back(std::move(async));
          break;
        }
        case pool_action::kind::dial:
          if (fleet_) fleet_->begin();
          dial_in(a.slot, a.until);
          break;
        case pool_action::kind::check:
          slots_[a.slot]->port.reset();
          check_in(a.slot, a.until);
          break;
        case pool_action::kind::reset:
          slots_[a.slot]->port.reset();
          reset_in(a.slot, a.until);
          break;
        case pool_action::kind::close:
          slots_[a.slot]->port.reset();
          doomed.emplace_back(a.slot, std::move(slots_[a.slot]));
          break;
        case pool_action::kind::report_leak:
          events.emplace_back("db.pool.leak", core_.describe_leak(a.slot, steady_clock::now()));
          break;
        case pool_action::kind::report_nested:
          events.emplace_back("db.pool.nested_acquire", core_.describe_nested(*a.waiter));
          break;
      }
    }
    actions.clear();
    for (auto& w : woken) {
      const auto executor = w->executor;
      scalekit::detail::post_from_outside(executor, [w = std::move(w)] { w->finish(); });
    }
    if (doomed.empty() && events.empty()) break;
    held.unlock();
    for (const auto& [event, text] : events) {
      log_of_server(params_.log, log_level::warning, event, text, server_.where);
    }
    for (auto& [slot, c] : doomed) c.reset();
    held.lock();
    for (const auto& [slot, c] : doomed) core_.closed(slot, steady_clock::now(), actions);
  }
  plan();
}

/// Whatever the core was told may have brought something nearer.
void host_pool::plan() {
  const auto next = core_.next_event();
  if (next >= planned_) return;
  planned_ = next;
  if (!ticker_) {
    ticker_.emplace([weak = weak_from_this()] {
      if (auto self = weak.lock()) self->upkeep();
    });
  }
  ticker_->plan(next);
}

void host_pool::upkeep() {
  report([this](pool_actions& out) {
    planned_ = time_point::max();
    core_.tick(steady_clock::now(), out);
  });
}

void host_pool::evict_all(std::uint64_t generation) {
  report([&](pool_actions& out) { core_.evict_all(generation, steady_clock::now(), out); });
}

void host_pool::reachable() {
  report([&](pool_actions& out) { core_.reachable(steady_clock::now(), out); });
}

void host_pool::close() {
  closing_ = true;
  stop_dials_.request_stop();
  report([&](pool_actions& out) {
    core_.close(steady_clock::now(), out);
    if (fleet_) fleet_->close();
  });
}

void host_pool::stop_running() {
  std::lock_guard held(mutex_);
  for (const auto& c : slots_) {
    if (c) c->bell.ring();
  }
}

cancel_ticket host_pool::cancel(connection& c) {
  c.cancels = cancels_.send(c.wire->make_cancel());
  return c.cancels;
}

bool host_pool::wait_until_idle(time_point until) {
  closing_ = true;
  lock held(mutex_);
  return idle_.wait_until(held, until,
                          [this] { return core_.statistics().busy + core_.waiting() == 0; });
}

pool_statistics host_pool::statistics() const {
  std::lock_guard held(mutex_);
  return core_.statistics();
}

std::exception_ptr host_pool::explain(const detail::pool_user& user, time_point since,
                                      pool_refusal why) const {
  detail::pool_waiter w;
  w.user = user;
  w.since = since;
  std::lock_guard held(mutex_);
  return refusal(w, why);
}

void host_pool::count_shed() {
  std::lock_guard held(mutex_);
  core_.count_shed();
}

std::exception_ptr host_pool::refusal(const detail::pool_waiter& w, pool_refusal why) const {
  auto code = errc::acquire_timeout;
  switch (why) {
    case pool_refusal::none:
    case pool_refusal::timeout:
      break;
    case pool_refusal::cancelled:
      code = errc::cancelled;
      break;
    case pool_refusal::queue_full:
    case pool_refusal::overload:
      code = errc::shed;
      break;
    case pool_refusal::unreachable:
    case pool_refusal::evicted:
      code = errc::unavailable;
      break;
    case pool_refusal::closed:
      code = errc::closed;
      break;
  }
  return std::make_exception_ptr(error(
      make_error_code(code), {core_.describe(why, w, steady_clock::now()), {}, {}, server_.name}));
}

}  // namespace scalekit::db::postgres
