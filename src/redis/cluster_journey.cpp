#include "redis/cluster_journey.hpp"

#include "redis/call_errors.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>

namespace scalekit::redis::detail {

namespace asio = boost::asio;
using std::chrono::steady_clock;

/// The call at one node.
class cluster_journey::hop final : public call, public std::enable_shared_from_this<hop> {
 public:
  hop(request r, std::shared_ptr<cluster_journey> of) : call(std::move(r)), of_(std::move(of)) {}

  void watch() override { of_->is_on(shared_from_this()); }

  void finish(std::exception_ptr failure, reply&& answer) noexcept override {
    const auto of = std::move(of_);
    of->ended(*this, std::move(failure), std::move(answer));
  }

 private:
  std::shared_ptr<cluster_journey> of_;
};

/// A pause, whose timer is only touched on its strand.
struct cluster_journey::nap {
  explicit nap(const asio::any_io_executor& loop)
      : strand(asio::make_strand(loop)), timer(strand) {}

  asio::strand<asio::any_io_executor> strand;
  asio::steady_timer timer;
};

cluster_journey::cluster_journey(std::shared_ptr<cluster_nodes> nodes, call_ptr of,
                                 cluster_course course)
    : nodes_(std::move(nodes)),
      of_(std::move(of)),
      course_(std::move(course)),
      what_(std::move(of_->what)) {
  of_->what.name = what_.name;
  nodes_->under_way.fetch_add(1, std::memory_order_relaxed);
}

cluster_journey::~cluster_journey() {
  nodes_->under_way.fetch_sub(1, std::memory_order_relaxed);
}

void cluster_journey::start() {
  of_->in = weak_from_this();
  of_->watch();
  go();
}

void cluster_journey::go() {
  if (std::exception_ptr why; stopped(why)) return finish_later(std::move(why));
  const auto now = steady_clock::now();
  single_server* to = nullptr;
  try {
    to = &course_.next(what_);
  } catch (const error& e) {
    return after(e);
  }
  const auto options = course_.options(now);
  const auto node = course_.node();
  // From then on another may have the journey in hand, and let go of the node.
  to->start(std::make_shared<hop>(std::move(what_), shared_from_this()), options);
}

void cluster_journey::is_on(const call_ptr& h) {
  std::optional<std::exception_ptr> stop;
  {
    const std::lock_guard lock(mutex_);
    on_ = h;
    stop = stop_;
  }
  if (!stop) return;
  if (const auto in = h->in.lock()) in->abandon(h, *stop);
}

void cluster_journey::ended(call& h, std::exception_ptr failure, reply&& answer) noexcept {
  {
    const std::lock_guard lock(mutex_);
    on_.reset();
  }
  if (!failure) return finish(nullptr, std::move(answer));
  // Its lane has no more use for it.
  what_ = std::move(h.what);
  try {
    after(to_error(failure));
  } catch (...) {
    finish(std::current_exception(), {});
  }
}

void cluster_journey::after(error failure) {
  const auto plan = course_.failed(failure, steady_clock::now());
  switch (plan.next) {
    case hop_plan::step::give_up:
      return finish_later(std::make_exception_ptr(std::move(failure)));
    case hop_plan::step::resend:
      return go();
    case hop_plan::step::pause:
      return sleep(plan.pause);
  }
}

void cluster_journey::sleep(std::chrono::nanoseconds pause) {
  const auto self = shared_from_this();
  const auto n = std::make_shared<nap>(nodes_->timer_executor());
  const auto seen = course_.generation();
  bool is_stopped = false;
  {
    const std::lock_guard lock(mutex_);
    is_stopped = stop_.has_value();
    nap_ = n;
  }
  // From here on others may wake it, and have it in hand.
  asio::post(n->strand, [self, n, pause] {
    if (!self->sleeps(n)) return;
    n->timer.expires_after(pause);
    n->timer.async_wait([self, n](const boost::system::error_code& ec) {
      if (ec || !self->claim(n)) return;
      self->nodes_->remove_waiter(*self);
      self->go();
    });
  });
  if (is_stopped || !nodes_->add_waiter(self, seen)) wake();
}

bool cluster_journey::sleeps(const std::shared_ptr<nap>& n) {
  const std::lock_guard lock(mutex_);
  return nap_ == n;
}

bool cluster_journey::claim(const std::shared_ptr<nap>& n) {
  const std::lock_guard lock(mutex_);
  if (nap_ != n) return false;
  nap_.reset();
  return true;
}

void cluster_journey::wake() {
  std::shared_ptr<nap> n;
  {
    const std::lock_guard lock(mutex_);
    n.swap(nap_);
  }
  if (!n) return;
  asio::post(n->strand, [n] { n->timer.cancel(); });
  nodes_->remove_waiter(*this);
  go();
}

void cluster_journey::abandon(const call_ptr&, std::exception_ptr why) {
  call_ptr on;
  {
    const std::lock_guard lock(mutex_);
    stop_ = why;
    on = on_;
  }
  if (!on) return wake();
  if (const auto in = on->in.lock()) in->abandon(on, why);
}

bool cluster_journey::stopped(std::exception_ptr& why) {
  const std::lock_guard lock(mutex_);
  if (!stop_) return false;
  why = *stop_;
  if (!why) {
    why = std::make_exception_ptr(cancelled_error({what_.name, nodes_->name()}));
  }
  return true;
}

void cluster_journey::finish(std::exception_ptr failure, reply&& answer) noexcept {
  if (failure) {
    try {
      nodes_->counted.count(to_error(failure));
    } catch (...) {
      // Without memory for it: told all the same.
    }
  }
  of_->finish(std::move(failure), std::move(answer));
}

void cluster_journey::finish_later(std::exception_ptr failure) {
  asio::post(nodes_->execution().completion_executor(),
             [self = shared_from_this(), failure = std::move(failure)]() mutable {
               self->finish(std::move(failure), {});
             });
}

}  // namespace scalekit::redis::detail
