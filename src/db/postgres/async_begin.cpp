#include "db/postgres/async_begin.hpp"

#include "db/postgres/transaction.hpp"

#include <utility>

namespace scalekit::db::postgres {

using detail::access;

async_begin::async_begin(std::shared_ptr<backend> owner, const scalekit::execution& runners,
                         transaction_options options, const std::source_location& site,
                         std::shared_ptr<detail::async_transaction_call> call)
    : backend_(std::move(owner)),
      runners_(runners),
      options_(std::move(options)),
      as_read_(as_call(options_)),
      site_(site),
      call_(std::move(call)),
      kind_(options_.read_only ? access::read : access::write),
      frame_(detail::frame_of(options_, backend_->params().transaction_timeout)) {}

void async_begin::start() {
  auto& routes = backend_->routes();
  routes.async_find(kind_ == access::read ? routes.to_read(as_read_, frame_, site_)
                                          : routes.to_write(frame_, site_),
                    backend_->io().executor(),
                    [self = shared_from_this()](std::exception_ptr e, host_ptr at) {
                      self->have_host(std::move(e), std::move(at));
                    });
}

void async_begin::have_host(std::exception_ptr e, host_ptr at) {
  if (e) return call_->fail(std::move(e));
  at_ = std::move(at);
  const auto patience =
      earlier(deadline::after(backend_->params().acquire_timeout, frame_.begun), frame_.until);
  at_->pool->async_take(
      {site_, true, {}}, frame_.begun, patience.when(), options_.stop, call_->stop(),
      [self = shared_from_this()](std::exception_ptr failure, lent_connection lent) {
        self->have_connection(std::move(failure), std::move(lent));
      });
}

void async_begin::have_connection(std::exception_ptr e, lent_connection lent) {
  if (e) return failed(std::move(e));
  lent_ = std::move(lent);
  lent_->port.reset();
  try {
    runners_.post_work([self = shared_from_this()]() mutable { begin(std::move(self)); });
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
  detail::throw_if_stopped(call_->stop(), site_);
  return std::make_unique<transaction>(backend_, at_, std::move(lent_), frame_.until, options_,
                                       call_->stop(), site_);
}

void async_begin::begin(std::shared_ptr<async_begin> self) {
  std::unique_ptr<detail::transaction_backend> tx;
  std::exception_ptr failure;
  try {
    tx = self->begun();
  } catch (...) {
    failure = std::current_exception();
    if (self->may_try_again(failure)) return self->start();
  }
  const auto call = self->call_;
  self.reset();
  failure ? call->fail(std::move(failure)) : call->run(std::move(tx));
}

}  // namespace scalekit::db::postgres
