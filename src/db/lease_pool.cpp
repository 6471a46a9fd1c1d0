#include "db/lease_pool.hpp"

#include "db/call_site.hpp"
#include "scalekit/core/detail/post.hpp"
#include "scalekit/core/error.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <optional>
#include <utility>

namespace scalekit::db::detail {

namespace asio = boost::asio;

struct lease_pool::waiter : lease_waiter {
  explicit waiter(const lease_request& r) : request(r) { adoptable = r.want != nullptr; }
  virtual ~waiter() = default;

  /// Under the pool's mutex: waits again.
  virtual void put_back(lease_pool& pool) = 0;

  /// Under the pool's mutex: no longer waits. Returns itself when it is async.
  virtual std::shared_ptr<async_waiter> resolved() = 0;

  lease_request request;
};

struct lease_pool::blocking_waiter final : waiter {
  using waiter::waiter;

  std::shared_ptr<async_waiter> resolved() override {
    wake.notify_one();
    return nullptr;
  }
  void put_back(lease_pool&) override { wake.notify_one(); }

  std::condition_variable_any wake;
};

struct lease_pool::async_waiter final : waiter, std::enable_shared_from_this<async_waiter> {
  using stop_callback = std::stop_callback<std::function<void()>>;

  async_waiter(const lease_request& r, std::array<std::stop_token, 2> s, granted t)
      : waiter(r), stops(std::move(s)), then(std::move(t)) {}

  void put_back(lease_pool& pool) override { pool.wait_in_time(shared_from_this()); }

  std::shared_ptr<async_waiter> resolved() override {
    timer->cancel();
    return std::exchange(self, nullptr);
  }

  const std::array<std::stop_token, 2> stops;
  granted then;
  // Only touched under the pool's mutex: a timer is not thread-safe.
  std::optional<asio::steady_timer> timer;
  // Keeps it alive while the queue points at it.
  std::shared_ptr<async_waiter> self;
  // Of those to be told, once it is served.
  std::shared_ptr<async_waiter> next;
  std::optional<stop_callback> on_stop, on_also_stop;
};

void lease::give_back() noexcept {
  if (auto* pool = std::exchange(pool_, nullptr)) pool->give_back(slot_);
}

lease_pool::lease_pool(std::string name, std::size_t slots, std::size_t max_waiting, execution exec)
    : name_(std::move(name)),
      max_waiting_(max_waiting),
      exec_(std::move(exec)),
      queue_(slots, max_waiting),
      holders_(slots),
      runners_({}, {.threads = slots, .name = "sk-db"}) {}

lease lease_pool::take(const lease_request& request, const std::stop_token& stop, bool& waited) {
  std::unique_lock lock(mutex_);
  if (auto slot = queue_.try_take()) [[likely]] {
    hold(*slot, request, request.begun);
    hold_on_this_thread(*slot, request);
    return {*this, *slot};
  }
  if (queue_.is_closed()) std::rethrow_exception(closed_error());
  waited = true;
  blocking_waiter self(request);
  if (!queue_.wait(self)) std::rethrow_exception(shed_error());

  using state = lease_waiter::state;
  while (
      self.wake.wait_until(lock, stop, request.until, [&] { return self.now != state::waiting; })) {
    // Who has adopted it uses what lies on this stack.
    self.wake.wait(lock, [&] { return self.now != state::adopted; });
    if (self.now != state::waiting) break;
  }
  if (self.now == state::served) return {};

  bool cancelled = stop.stop_requested();
  auto why = cancelled ? lease_queue::leave::cancelled : lease_queue::leave::timeout;
  if (queue_.abandon(self, why)) {
    std::rethrow_exception(cancelled ? cancelled_error() : timeout_error(request));
  }
  if (self.now == lease_waiter::state::closed) std::rethrow_exception(closed_error());
  hold_on_this_thread(self.slot, request);
  return {*this, self.slot};
}

void lease_pool::async_take(const lease_request& request, std::stop_token stop,
                            std::stop_token also_stop, granted then) {
  auto self = std::make_shared<async_waiter>(request, std::array{stop, also_stop}, std::move(then));
  std::unique_lock lock(mutex_);
  if (auto slot = queue_.try_take()) {
    hold(*slot, request, request.begun);
    lock.unlock();
    if (!start_runner(self, *slot)) give_back(*slot);
    return;
  }
  if (queue_.is_closed()) return fail(self, closed_error());
  if (!queue_.wait(*self)) return fail(self, shed_error());
  self->self = self;
  wait_in_time(self);
  lock.unlock();

  // Only posts: it may run inside request_stop() of a thread that holds locks of its own.
  auto abandon = [pool = weak_from_this(), weak = std::weak_ptr(self),
                  executor = exec_.completion_executor()] {
    scalekit::detail::post_from_outside(executor, [pool, weak] {
      auto p = pool.lock();
      auto w = weak.lock();
      if (p && w) p->leave(w, lease_queue::leave::cancelled);
    });
  };
  self->on_stop.emplace(std::move(stop), abandon);
  self->on_also_stop.emplace(std::move(also_stop), abandon);
}

/// Under the mutex. A stop that was asked for while it was adopted counts now, and so does the
/// time.
void lease_pool::wait_in_time(const std::shared_ptr<async_waiter>& w) {
  const bool stopped = w->stops[0].stop_requested() || w->stops[1].stop_requested();
  w->timer.emplace(exec_.completion_executor(), stopped ? time_point::min() : w->request.until);
  w->timer->async_wait([pool = weak_from_this(), weak = std::weak_ptr(w),
                        why = stopped ? lease_queue::leave::cancelled
                                      : lease_queue::leave::timeout](boost::system::error_code ec) {
    auto p = pool.lock();
    auto alive = weak.lock();
    if (!ec && p && alive) p->leave(alive, why);
  });
}

void lease_pool::leave(const std::shared_ptr<async_waiter>& w, lease_queue::leave why) {
  std::exception_ptr e;
  std::shared_ptr<async_waiter> keep;
  {
    std::lock_guard lock(mutex_);
    if (!queue_.abandon(*w, why)) return;
    keep = w->resolved();
    e = why == lease_queue::leave::timeout ? timeout_error(w->request) : cancelled_error();
    if (queue_.busy() + queue_.waiting() == 0) idle_.notify_all();
  }
  w->then(std::move(e), {});
}

namespace {

/// The lease travels with the task, so that a task dropped by a stopped executor returns it.
template <class Waiter>
struct run_with_lease {
  std::shared_ptr<Waiter> waiter;
  lease lent;

  void operator()() { waiter->then(nullptr, std::move(lent)); }
};

}  // namespace

/// False when `w` failed and the slot is free for the next.
bool lease_pool::start_runner(const std::shared_ptr<async_waiter>& w, std::size_t slot) noexcept {
  run_with_lease<async_waiter> task{w, lease(*this, slot)};
  try {
    runners_.post_work(std::move(task));
    return true;
  } catch (...) {
    fail(w, std::current_exception());
    return !task.lent.disown();
  }
}

void lease_pool::fail(const std::shared_ptr<async_waiter>& w, std::exception_ptr e) noexcept {
  asio::post(exec_.completion_executor(),
             [w, e = std::move(e)]() mutable { w->then(std::move(e), {}); });
}

void lease_pool::give_back(std::size_t slot) noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (queue_.is_closed()) {
      lock.unlock();
      retire_(slot);
      lock.lock();
    }
    auto* next = static_cast<waiter*>(queue_.give_back(slot));
    if (next == nullptr) break;
    hold(slot, next->request, std::chrono::steady_clock::now());
    auto async = next->resolved();
    if (!async) return;
    lock.unlock();
    if (start_runner(async, slot)) return;
    lock.lock();
  }
  if (queue_.busy() + queue_.waiting() == 0) idle_.notify_all();
}

void lease_pool::hold(std::size_t slot, const lease_request& request, time_point since) {
  holders_[slot] = {request.site, since, {}};
}

void lease_pool::hold_on_this_thread(std::size_t slot, const lease_request& request) {
  if (request.transaction) holders_[slot].transaction_thread = std::this_thread::get_id();
}

void lease_pool::close(std::function<void(std::size_t)> retire) {
  std::vector<std::shared_ptr<async_waiter>> left;
  std::vector<std::size_t> free;
  {
    std::lock_guard lock(mutex_);
    if (queue_.is_closed()) return;
    retire_ = std::move(retire);
    for (auto* w : queue_.close()) {
      if (auto async = static_cast<waiter*>(w)->resolved()) left.push_back(std::move(async));
    }
    free = queue_.take_free();
    idle_.notify_all();
  }
  for (auto& w : left) fail(w, closed_error());
  for (auto slot : free) retire_(slot);
}

bool companions::has_next() const {
  std::lock_guard lock(pool_->mutex_);
  return pool_->queue_.first_adoptable() != nullptr;
}

errand* lease_pool::adopt(lease_queue::party& p, bool (*admits)(void*, const errand&),
                          void* context) {
  std::lock_guard lock(mutex_);
  auto* first = static_cast<waiter*>(queue_.first_adoptable());
  if (first == nullptr || !admits(context, *first->request.want)) return nullptr;
  queue_.adopt(p);
  return first->request.want;
}

void lease_pool::part(lease_queue::party& p) noexcept {
  if (p.empty()) return;
  std::shared_ptr<async_waiter> told;
  {
    auto* end = &told;
    std::lock_guard lock(mutex_);
    for (auto* each = p.front(); each != nullptr;) {
      auto* w = static_cast<waiter*>(each);
      each = p.after(*each);
      if (!w->request.want->done) continue;
      p.erase(*w);
      queue_.serve(*w);
      if (auto async = w->resolved()) {
        *end = std::move(async);
        end = &(*end)->next;
      }
    }
    while (!p.empty()) {
      auto* w = static_cast<waiter*>(p.back());
      queue_.put_back_last(p);
      if (w->now == lease_waiter::state::waiting) {
        w->put_back(*this);
      } else if (auto async = w->resolved()) {
        fail(async, closed_error());
      }
    }
  }
  while (told) {
    auto next = std::move(told->next);
    tell_served(told);
    told = std::move(next);
  }
}

/// Never on the thread of who did the errand, who may hold what the handler wants.
void lease_pool::tell_served(const std::shared_ptr<async_waiter>& w) noexcept {
  try {
    runners_.post_work([w] { w->then(nullptr, {}); });
  } catch (...) {
    w->then(nullptr, {});
  }
}

bool lease_pool::wait_until_idle(time_point until) {
  std::unique_lock lock(mutex_);
  return idle_.wait_until(lock, until, [this] { return queue_.busy() + queue_.waiting() == 0; });
}

pool_statistics lease_pool::statistics() const {
  std::lock_guard lock(mutex_);
  return queue_.statistics();
}

std::exception_ptr lease_pool::timeout_error(const lease_request& request) const {
  const holder* oldest = nullptr;
  for (const auto& h : holders_) {
    if (oldest == nullptr || h.since < oldest->since) oldest = &h;
  }
  auto stats = queue_.statistics();
  auto now = std::chrono::steady_clock::now();
  std::string text = describe(request.site) + ": no " + name_ + " came free within " +
                     in_ms(now - request.begun) + ": " + std::to_string(stats.busy) + " of " +
                     std::to_string(stats.limit) + " busy, " + std::to_string(stats.waiting) +
                     " more waiting; the oldest holder is " + describe(oldest->site) + ", since " +
                     in_ms(now - oldest->since);
  if (oldest->transaction_thread == std::this_thread::get_id()) {
    text += "; it is a transaction of this very thread: use the transaction's own calls in it";
  }
  return std::make_exception_ptr(error(errc::acquire_timeout, std::move(text)));
}

std::exception_ptr lease_pool::shed_error() const {
  return std::make_exception_ptr(error(
      errc::shed, "already " + std::to_string(max_waiting_) + " callers wait for a " + name_));
}

std::exception_ptr lease_pool::closed_error() const {
  return std::make_exception_ptr(error(errc::closed, "closed while asking for a " + name_));
}

std::exception_ptr lease_pool::cancelled_error() const {
  return std::make_exception_ptr(error(errc::cancelled, "cancelled while waiting for a " + name_));
}

}  // namespace scalekit::db::detail
