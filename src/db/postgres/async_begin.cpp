#include "db/postgres/async_begin.hpp"

#include "db/postgres/transaction.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace scalekit::db::postgres {

using detail::access;
using detail::returned;

async_begin::async_begin(std::shared_ptr<backend> owner, transaction_options options,
                         const std::source_location& site,
                         std::shared_ptr<detail::async_transaction_call> call)
    : backend_(std::move(owner)),
      options_(std::move(options)),
      as_read_(as_call(options_)),
      site_(site),
      call_(std::move(call)),
      also_stop_(call_->stop()),
      kind_(options_.read_only ? access::read : access::write),
      frame_(detail::frame_of(options_, backend_->params().transaction_timeout)) {
  frame_.stops = {&options_.stop, &also_stop_};
}

void async_begin::start() {
  auto& routes = backend_->routes();
  routes.async_find(kind_ == access::read ? routes.to_read(as_read_, frame_, site_)
                                          : routes.to_write(frame_, site_),
                    backend_->io().executor(),
                    [self = shared_from_this()](std::exception_ptr e, destination to) {
                      self->have_host(std::move(e), std::move(to));
                    });
}

void async_begin::have_host(std::exception_ptr e, destination to) {
  if (e) return call_->fail(std::move(e));
  to_ = std::move(to);
  const auto patience =
      earlier(deadline::after(backend_->params().acquire_timeout, frame_.begun), frame_.until);
  to_.at->pool->async_take(
      {.site = site_, .transaction = true, .reads = options_.read_only}, frame_.begun,
      patience.when(), options_.stop, also_stop_,
      [self = shared_from_this()](std::exception_ptr failure, lent_connection lent) {
        self->have_connection(std::move(failure), std::move(lent));
      });
}

void async_begin::have_connection(std::exception_ptr e, lent_connection lent) {
  if (e) return failed(std::move(e));
  frame_.acquired = std::chrono::steady_clock::now();
  lent_ = std::move(lent);
  lent_->port.reset();
  // What was closed while it idled is found out before anything depends on it.
  if (!is_alive(*lent_->wire)) {
    lent_.give_back(returned::broken);
    return have_host(nullptr, to_);
  }
  try {
    to_.at->runners.post_work([self = shared_from_this()]() mutable { begin(std::move(self)); });
  } catch (...) {
    call_->fail(std::current_exception());
  }
}

void async_begin::failed(std::exception_ptr e) {
  may_try_again(e) ? start() : call_->fail(std::move(e));
}

bool async_begin::may_try_again(const std::exception_ptr& e) {
  return !backend_->is_closing() &&
         chance_.allows(to_error(e), kind_, backend_->routes().has_choice());
}

std::unique_ptr<detail::transaction_backend> async_begin::begun() {
  detail::throw_if_stopped(options_.stop, site_);
  detail::throw_if_stopped(also_stop_, site_);
  lent_.lent_to(std::this_thread::get_id());
  return std::make_unique<transaction>(backend_, to_, std::move(lent_), frame_, options_,
                                       also_stop_, site_);
}

void async_begin::begin(std::shared_ptr<async_begin> self) {
  std::unique_ptr<detail::transaction_backend> tx;
  std::exception_ptr failure;
  try {
    tx = self->begun();
  } catch (const misrouted& m) {
    if (self->backend_->may_look_again(self->frame_)) return self->start();
    failure = std::make_exception_ptr(m.why);
  } catch (...) {
    failure = std::current_exception();
    if (self->may_try_again(failure)) return self->start();
  }
  const auto call = self->call_;
  self.reset();
  failure ? call->fail(std::move(failure)) : call->run(std::move(tx));
}

}  // namespace scalekit::db::postgres
