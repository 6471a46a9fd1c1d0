#include "db/postgres/async_statement.hpp"

#include "db/batch_run.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
#include <utility>
#include <vector>

namespace scalekit::db::postgres {

namespace asio = boost::asio;
using detail::access;
using detail::returned;
using std::chrono::steady_clock;

async_statement::async_statement(std::shared_ptr<backend> owner, access kind, statement&& query,
                                 call_options&& options, const detail::call_frame& frame,
                                 statement_entry_ptr known,
                                 std::shared_ptr<detail::async_call> call)
    : async_statement(std::move(owner), kind, std::optional(std::move(query)), {}, query.site(),
                      std::move(options), frame, std::move(call)) {
  members_.push_back({&*query_, std::move(known), call_->rows()});
}

async_statement::async_statement(std::shared_ptr<backend> owner, detail::batch_members&& batch,
                                 std::vector<call_member> members, const std::source_location& site,
                                 call_options&& options, const detail::call_frame& frame,
                                 std::shared_ptr<detail::async_call> call)
    : async_statement(std::move(owner), detail::kind_of(batch), {}, std::move(batch), site,
                      std::move(options), frame, std::move(call)) {
  members_.assign(members.begin(), members.end());
}

async_statement::async_statement(std::shared_ptr<backend> owner, access kind,
                                 std::optional<statement>&& query, detail::batch_members&& batch,
                                 const std::source_location& site, call_options&& options,
                                 const detail::call_frame& frame,
                                 std::shared_ptr<detail::async_call> call)
    : backend_(std::move(owner)),
      kind_(kind),
      query_(std::move(query)),
      batch_(std::move(batch)),
      site_(site),
      options_(std::move(options)),
      call_(std::move(call)),
      also_stop_(call_->stop()),
      loop_(backend_->io().executor()),
      strand_(asio::make_strand(loop_)),
      frame_(frame) {
  frame_.stops = {&options_.stop, &also_stop_};
  frame_.scope = &options_.scope;
}

void async_statement::start() {
  // The caller's thread may not be the loop's, which would hear of answers before this is done.
  asio::dispatch(strand_, [self = shared_from_this()] { self->begin(); });
}

void async_statement::begin() {
  try {
    detail::throw_if_stopped(options_.stop, site_);
    detail::throw_if_stopped(also_stop_, site_);
    ask_for_host();
  } catch (...) {
    fail(std::current_exception(), returned::healthy);
  }
  initiating_ = false;
}

void async_statement::ask_for_host() {
  auto& routes = backend_->routes();
  auto query = kind_ == access::read ? routes.to_read(options_, frame_, site_, chance_.failed_on())
                                     : routes.to_write(frame_, site_);
  if (auto to = routes.try_find(query)) return ask_for_connection(std::move(to));
  routes.async_find(
      std::move(query), loop_, [self = shared_from_this()](std::exception_ptr e, destination to) {
        asio::dispatch(self->strand_, [self, e = std::move(e), to] { self->have_host(e, to); });
      });
}

void async_statement::have_host(std::exception_ptr e, destination to) {
  initiating_ = false;
  frame_.acquired = steady_clock::now();
  if (e) return fail(std::move(e), returned::healthy);
  try {
    ask_for_connection(std::move(to));
  } catch (...) {
    fail(std::current_exception(), returned::healthy);
  }
}

void async_statement::ask_for_connection(destination to) {
  const detail::pool_user user{.site = site_, .reads = kind_ == access::read};
  to_ = std::move(to);
  under_way_ = call_on_host(backend_->routes(), *to_.at, kind_);
  if (auto lent = to_.at->pool->try_take(user, steady_clock::now())) {
    return have(nullptr, std::move(lent));
  }
  const auto patience =
      earlier(deadline::after(backend_->params().acquire_timeout, frame_.begun), frame_.until);
  to_.at->pool->async_take(user, frame_.begun, patience.when(), options_.stop, also_stop_,
                           [self = shared_from_this()](std::exception_ptr e, lent_connection lent) {
                             auto got = std::make_shared<lent_connection>(std::move(lent));
                             asio::dispatch(self->strand_, [self, e = std::move(e), got]() mutable {
                               self->initiating_ = false;
                               self->frame_.acquired = steady_clock::now();
                               self->have(std::move(e), std::move(*got));
                             });
                           });
}

void async_statement::have(std::exception_ptr e, lent_connection lent) {
  if (e) return fail(std::move(e), returned::healthy);
  lent_ = std::move(lent);
  // After a loss, one that was used just now may be as dead.
  const bool is_trusted = kind_ == access::read && !chance_.lost_before() && lent_.is_fresh();
  if (!is_trusted && !is_alive(*lent_->wire)) {
    lent_.give_back(returned::broken);
    return ask_for_connection(to_);
  }
  reactor_port::attach(*lent_, loop_);
  try {
    const bool may_misfit = kind_ == access::read || frame_.acquired;
    if (may_misfit) backend_->routes().require_fit(kind_, to_, *lent_, site_);
  } catch (const misrouted& m) {
    return look_again(m);
  } catch (...) {
    return fail(std::current_exception(), returned::healthy);
  }
  talk_.emplace(members_, *lent_, backend_->shape_of(kind_));
  if (!timer_) watch();
  // They may have come while there was no connection.
  if (frame_.is_stopped()) return interrupt(wait_end::stopped);
  if (frame_.until.expired()) return interrupt(wait_end::deadline);
  talk();
}

void async_statement::look_again(const misrouted& m) {
  if (!backend_->may_look_again(frame_)) {
    return fail(std::make_exception_ptr(m.why), returned::healthy);
  }
  lent_.give_back(returned::healthy);
  try {
    ask_for_host();
  } catch (...) {
    fail(std::current_exception(), returned::healthy);
  }
}

/// The deadline and the stops, each of which only posts: a stop callback may run inside
/// request_stop() of a thread that holds locks of its own.
void async_statement::watch() {
  timer_.emplace(strand_, frame_.until.when());
  timer_->async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->interrupt(wait_end::deadline);
  });
  auto stop = [weak = weak_from_this(), strand = strand_] {
    asio::post(strand, [weak] {
      if (auto self = weak.lock()) self->interrupt(wait_end::stopped);
    });
  };
  if (options_.stop.stop_possible()) on_stop_.emplace(options_.stop, stop);
  if (also_stop_.stop_possible()) on_also_stop_.emplace(also_stop_, stop);
  on_close_.emplace(backend_->stopping(), stop);
}

void async_statement::talk() {
  try {
    while (talk_->advance(*lent_)) {
      if (!lent_->wire->is_quiet()) return wait();
    }
  } catch (...) {
    auto how = returned::healthy;
    if (!lent_->wire->is_quiet() || lent_->wire->transaction_status() != PQTRANS_IDLE) {
      how = returned::needs_reset;
    }
    return fail(std::current_exception(), how);
  }
  fail(nullptr, interrupted_ ? returned::needs_reset : returned::healthy);
}

void async_statement::wait() {
  auto ready = [self = shared_from_this()](boost::system::error_code ec) {
    if (!ec) self->on_ready();
  };
  if (!lent_->wire->flush()) lent_->port->wait_writable(strand_, ready);
  if (lent_->wire->is_broken()) return asio::post(strand_, [ready] { ready({}); });
  lent_->port->wait_readable(strand_, std::move(ready));
}

void async_statement::on_ready() {
  // Of both waits, reading and writing, the other may be heard of late.
  if (finished_ || !lent_ || !talk_ || handing_over_) return;
  std::vector<exchange_ptr> ended;
  try {
    lent_->wire->read(ended);
  } catch (...) {
    // What takes the rows has thrown.
    return fail(std::current_exception(), returned::needs_reset);
  }
  lent_->port->cancel();
  if (lent_->wire->is_held()) return hand_over();
  lent_->wire->is_quiet() ? talk() : wait();
}

void async_statement::hand_over() {
  handing_over_ = true;
  // Not deeper and deeper, where they are consumed at once.
  call_->hand_over([self = shared_from_this()](std::exception_ptr e) {
    asio::post(self->strand_, [self, e = std::move(e)] { self->handed_over(e); });
  });
}

void async_statement::handed_over(std::exception_ptr e) {
  handing_over_ = false;
  if (finished_) return;
  e ? fail(std::move(e), returned::needs_reset) : on_ready();
}

void async_statement::interrupt(wait_end why) {
  if (finished_ || !lent_) return;
  auto error = backend_->interruption(why, frame_, site_, lent_->wire->origin());
  if (interrupted_) {
    return fail(std::make_exception_ptr(backend_->in_doubt(error)), returned::needs_reset);
  }
  if (!talk_->may_have_effect()) {
    return fail(std::make_exception_ptr(std::move(error)), returned::needs_reset);
  }
  interrupted_ = std::make_exception_ptr(std::move(error));
  to_.at->pool->cancel(*lent_);
  timer_->expires_after(cancel_grace);
  timer_->async_wait([weak = weak_from_this()](boost::system::error_code ec) {
    auto self = weak.lock();
    if (!ec && self) self->interrupt(wait_end::deadline);
  });
}

bool async_statement::may_run_again(const std::exception_ptr& e) {
  if (!e || interrupted_ || backend_->is_closing() || !can_restart(members_)) return false;
  return chance_.allows(to_error(e), kind_, backend_->routes().has_choice());
}

/// Ends the call, or runs it once more where nothing can have happened.
void async_statement::fail(std::exception_ptr e, returned how) {
  if (e && interrupted_ && backend_->is_cancel(e)) e = interrupted_;
  if (lent_) {
    if (e) chance_.failed_on(to_.at->id);
    backend_->routes().failed(*to_.at, kind_, e, &*lent_);
    backend_->routes().note_role(*to_.at, *lent_);
  }
  if (may_run_again(e)) {
    if (lent_) lent_->port->cancel();
    let_go();
    talk_.reset();
    lent_.give_back(how);
    restart(members_);
    try {
      return ask_for_host();
    } catch (...) {
      e = std::current_exception();
    }
  }
  if (!initiating_) return finish(std::move(e), how);
  asio::post(strand_, [self = shared_from_this(), e = std::move(e), how] { self->finish(e, how); });
}

void async_statement::finish(std::exception_ptr e, returned how) {
  if (std::exchange(finished_, true)) return;
  if (timer_) timer_->cancel();
  on_stop_.reset();
  on_also_stop_.reset();
  on_close_.reset();
  backend_->track(members_, frame_, talk_ ? &*talk_ : nullptr, e);
  if (kind_ == access::read && talk_ && query_) {
    backend_->note_time(*members_.front().entry, *talk_);
  }
  write_result result;
  if (!e) {
    under_way_.answered();
    if (kind_ == access::write) backend_->wrote(talk_->token(), frame_.begun, options_.session);
    if (!query_) note_results(members_, batch_);
    result = {talk_->rows_affected(), 0, talk_->token().to_string()};
  }
  if (lent_) {
    if (how != returned::healthy) lent_->port->cancel();
    let_go();
    lent_.give_back(how);
  }
  under_way_ = {};
  call_->finish(std::move(e), std::move(result));
}

}  // namespace scalekit::db::postgres
