#include "cache/async_call.hpp"
#include "cache/completing.hpp"
#include "cache/engine.hpp"
#include "cache/errors.hpp"
#include "cache/validate.hpp"
#include "scalekit/cache/store.hpp"

#include <exception>
#include <memory>
#include <optional>
#include <utility>

// The async_ members. What can be done without waiting is done in the initiating function; the
// rest runs on the work executor, and waits for loads without a thread.

namespace scalekit::cache {

using detail::cancelled_error, detail::closed_error, detail::completing, detail::post_work;
using detail::raw_lookup, detail::run_change, detail::run_here, detail::start_change;

void store::start_read(std::string text, call_options options,
                       std::shared_ptr<detail::value_port> port,
                       completion_handler<raw_lookup> handler) {
  auto self = state_->shared_from_this();
  self->born.check("cache::store::async_get");
  const auto exec = self->execution;
  try {
    self->enter("cache::store::async_get", text, options);
    if (auto found = self->table.find_in_memory(self->table.hashed(text), *port)) {
      return detail::complete_at_once<raw_lookup>(std::move(handler), exec, nullptr, *found);
    }
  } catch (...) {
    return detail::complete_at_once<raw_lookup>(std::move(handler), exec, std::current_exception(),
                                                {});
  }
  if (self->table.is_asynchronous()) {
    auto op = detail::pending<raw_lookup>::start(std::move(handler), exec);
    return self->table.start_find(
        text, port, options.allow_stale, deadline::after(options.timeout), op->stop_token(),
        [self, op, text, port, allow_stale = options.allow_stale](std::optional<raw_lookup> found,
                                                                  bool is_cancelled) {
          const auto key = self->table.hashed(text);
          const auto result = self->conclude_read(key, *port, allow_stale, found);
          op->complete(is_cancelled ? std::make_exception_ptr(cancelled_error()) : nullptr, result);
        });
  }
  auto body = [self, text = std::move(text), port, options] {
    return self->read(self->table.hashed(text), *port, options);
  };
  if (!self->table.may_block()) return run_here<raw_lookup>(exec, std::move(handler), body);
  auto call = detail::async_call<raw_lookup>::start(std::move(handler), exec,
                                                    deadline::after(options.timeout), {});
  post_work(exec, call, [call, body = std::move(body)] { call->complete_with(body); });
}

void store::start_read_or_load(std::string text, const policy& how, call_options options,
                               std::shared_ptr<detail::value_port> port, detail::raw_loader loader,
                               completion_handler<raw_lookup> handler) {
  auto self = state_->shared_from_this();
  self->born.check("cache::store::async_get_or_load");
  std::shared_ptr<const detail::owned_load> what;
  try {
    self->enter("cache::store::async_get_or_load", text, options);
    detail::validate(how);
    const auto key = self->table.hashed(text);
    auto found = self->table.find_in_memory(key, *port);
    if (found && how.refresh_ahead == 0) {
      return detail::complete_at_once<raw_lookup>(std::move(handler), self->execution, nullptr,
                                                  *found);
    }
    const auto until = deadline::after(options.timeout);
    if (!found && how.stale_for.count() > 0) found = self->table.find_kept_in_memory(key, *port);
    if (found && self->answers({key, how, loader, true, until, *port}, *found)) {
      return detail::complete_at_once<raw_lookup>(std::move(handler), self->execution, nullptr,
                                                  *found);
    }
    self->refuse_own_key(text);
    what = std::make_shared<const detail::owned_load>(text, how, std::move(loader), until);
  } catch (...) {
    return detail::complete_at_once<raw_lookup>(std::move(handler), self->execution,
                                                std::current_exception(), {});
  }
  self->start_load(std::move(what), std::move(port), std::move(handler));
}

void store::start_write(std::string text, std::string bytes, const policy& how,
                        call_options options, completion_handler<done> handler) {
  auto self = state_->shared_from_this();
  self->born.check("cache::store::async_set");
  const auto until = deadline::after(options.timeout);
  if (self->table.is_asynchronous()) {
    detail::tiers::keyed_values values;
    values.emplace_back(std::move(text), std::move(bytes));
    return start_write_many(std::move(values), how, options, std::move(handler));
  }
  auto body = [=, bytes = std::move(bytes)] {
    self->enter("cache::store::async_set", text, options);
    detail::validate(how);
    self->sets.add();
    self->table.put(self->table.hashed(text), bytes, how, until);
    return done{};
  };
  if (!self->table.may_block()) return run_here<done>(self->execution, std::move(handler), body);
  run_change(self->execution, until, std::move(handler), std::move(body),
             [self, text = std::move(text)] { self->table.forget(self->table.hashed(text)); });
}

void store::start_erase(std::string text, call_options options, completion_handler<done> handler) {
  auto self = state_->shared_from_this();
  self->born.check("cache::store::async_erase");
  const auto until = deadline::after(options.timeout);
  if (self->table.is_asynchronous()) {
    return start_change(self, std::move(handler), [&](const auto& op) {
      self->enter("cache::store::async_erase", text, options);
      self->erases.add();
      self->table.start_erase(std::move(text), until, op->stop_token(), completing(self, op));
    });
  }
  auto body = [=] {
    self->enter("cache::store::async_erase", text, options);
    self->erases.add();
    self->table.erase(self->table.hashed(text), until);
    return done{};
  };
  if (!self->table.may_block()) return run_here<done>(self->execution, std::move(handler), body);
  run_change(self->execution, until, std::move(handler), std::move(body),
             [self, text = std::move(text)] { self->table.forget(self->table.hashed(text)); });
}

void store::start_clear(call_options options, completion_handler<done> handler) {
  auto self = state_->shared_from_this();
  self->born.check("cache::store::async_clear");
  const auto until = deadline::after(options.timeout);
  auto check = [self, options] {
    if (self->closed) throw closed_error();
    detail::validate(options);
  };
  if (self->table.is_asynchronous()) {
    return start_change(self, std::move(handler), [&](const auto& op) {
      check();
      self->table.start_clear(until, op->stop_token(), completing(self, op));
    });
  }
  auto body = [self, check, until] {
    check();
    self->table.clear(until);
    return done{};
  };
  if (!self->table.has_shared()) return run_here<done>(self->execution, std::move(handler), body);
  auto call = detail::async_call<done>::start(std::move(handler), self->execution, until, {});
  post_work(self->execution, call, [call, body] { call->complete_with(body); });
}

}  // namespace scalekit::cache
