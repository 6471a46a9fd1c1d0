#include "cache/completing.hpp"
#include "cache/engine.hpp"
#include "cache/errors.hpp"
#include "cache/validate.hpp"
#include "scalekit/cache/store.hpp"

#include <exception>
#include <memory>
#include <utility>

// The members for several keys.

namespace scalekit::cache {

using detail::closed_error;
using detail::raw_batch;
using wanted_keys = std::vector<detail::tiers::wanted>;

void store::state::enter_many(std::string_view call, const std::vector<std::string>& keys,
                              const call_options& options) const {
  born.check(call);
  if (closed.load(std::memory_order_relaxed)) throw closed_error();
  for (const auto& key : keys) detail::validate_key(key);
  detail::validate(options);
}

wanted_keys store::state::read_in_memory(raw_batch& batch) {
  wanted_keys rest;
  for (std::size_t i = 0; i < batch.keys.size(); ++i) {
    const auto key = table.hashed(batch.keys[i]);
    if (const auto found = table.find_in_memory(key, *batch.ports[i])) {
      batch.found[i] = *found;
    } else {
      rest.push_back({key, batch.ports[i], &batch.found[i]});
    }
  }
  return rest;
}

void store::state::count_misses(const raw_batch& batch) {
  for (const auto& each : batch.found) {
    if (each.freshness == freshness::miss) count_miss({});
  }
}

void store::read_many(raw_batch& batch, const call_options& options) {
  auto& self = *state_;
  self.enter_many("cache::store::get_many", batch.keys, options);
  if (self.table.may_block()) io_thread_mark::check_blocking_allowed("cache::store::get_many");
  const auto rest = self.read_in_memory(batch);
  if (self.table.may_block()) self.table.find_many_below(rest, deadline::after(options.timeout));
  self.count_misses(batch);
}

namespace {

std::vector<std::string> keys_of(const std::vector<std::pair<std::string, std::string>>& values) {
  std::vector<std::string> keys;
  keys.reserve(values.size());
  for (const auto& each : values) keys.push_back(each.first);
  return keys;
}

}  // namespace

void store::write_many(encoded_values values, const policy& how, const call_options& options) {
  auto& self = *state_;
  self.enter_many("cache::store::set_many", keys_of(values), options);
  if (self.table.may_block()) io_thread_mark::check_blocking_allowed("cache::store::set_many");
  detail::validate(how);
  if (values.empty()) return;
  for (std::size_t i = 0; i < values.size(); ++i) self.sets.add();
  self.table.put_many(std::move(values), how, deadline::after(options.timeout));
}

void store::start_read_many(std::shared_ptr<raw_batch> batch, call_options options,
                            completion_handler<done> handler) {
  auto self = state_->shared_from_this();
  self->born.check("cache::store::async_get_many");
  const auto exec = self->execution;
  const auto until = deadline::after(options.timeout);
  wanted_keys rest;
  try {
    self->enter_many("cache::store::async_get_many", batch->keys, options);
    rest = self->read_in_memory(*batch);
  } catch (...) {
    return detail::complete_at_once<done>(std::move(handler), exec, std::current_exception(), {});
  }
  if (rest.empty() || !self->table.may_block()) {
    self->count_misses(*batch);
    return detail::complete_at_once<done>(std::move(handler), exec, nullptr, {});
  }
  if (self->table.is_asynchronous()) {
    auto op = detail::pending<done>::start(std::move(handler), exec);
    return self->table.start_find_many(
        std::move(rest), batch, until, op->stop_token(), [self, op, batch](bool is_cancelled) {
          self->count_misses(*batch);
          op->complete(is_cancelled ? std::make_exception_ptr(detail::cancelled_error()) : nullptr,
                       {});
        });
  }
  auto call = detail::async_call<done>::start(std::move(handler), exec, until, {});
  detail::post_work(exec, call, [self, call, batch, rest = std::move(rest), until] {
    if (call->is_over()) return;
    self->table.find_many_below(rest, until);
    self->count_misses(*batch);
    call->complete_with([] { return done{}; });
  });
}

void store::start_write_many(encoded_values values, const policy& how, call_options options,
                             completion_handler<done> handler) {
  auto self = state_->shared_from_this();
  self->born.check("cache::store::async_set");
  const auto until = deadline::after(options.timeout);
  const auto keys = keys_of(values);
  try {
    self->enter_many("cache::store::async_set", keys, options);
    detail::validate(how);
  } catch (...) {
    return detail::complete_at_once<done>(std::move(handler), self->execution,
                                          std::current_exception(), {});
  }
  for (std::size_t i = 0; i < values.size(); ++i) self->sets.add();
  if (values.empty()) {
    return detail::complete_at_once<done>(std::move(handler), self->execution, nullptr, {});
  }
  if (self->table.is_asynchronous()) {
    return detail::start_change(self, std::move(handler), [&](const auto& op) {
      self->table.start_put_many(std::move(values), how, until, op->stop_token(),
                                 detail::completing(self, op));
    });
  }
  auto shared = std::make_shared<encoded_values>(std::move(values));
  auto body = [self, shared, how, until] {
    self->table.put_many(std::move(*shared), how, until);
    return done{};
  };
  if (!self->table.may_block()) {
    return detail::run_here<done>(self->execution, std::move(handler), std::move(body));
  }
  detail::run_change(self->execution, until, std::move(handler), std::move(body), [self, keys] {
    for (const auto& key : keys) self->table.forget(self->table.hashed(key));
  });
}

}  // namespace scalekit::cache
