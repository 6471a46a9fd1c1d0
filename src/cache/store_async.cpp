#include "cache/async_call.hpp"
#include "cache/engine.hpp"
#include "cache/validate.hpp"
#include "scalekit/cache/store.hpp"

#include <functional>
#include <utility>

// The async_ members. What can be done without waiting is done in the initiating function; the
// rest runs on the work executor, and waits for loads without a thread.

namespace scalekit::cache {

using detail::raw_lookup;

namespace {

/// Runs `body`, which may block, for `call`. A full work pool completes it with errc::shed, once
/// `refused` was called.
template <class T, class Body>
void post_work(const execution& exec, const std::shared_ptr<detail::async_call<T>>& call, Body body,
               const std::function<void()>& refused = {}) {
  try {
    exec.post_work(std::move(body));
  } catch (...) {
    if (refused) refused();
    boost::asio::post(exec.completion_executor(), [call, e = std::current_exception()] {
      call->complete_with([&]() -> T { std::rethrow_exception(e); });
    });
  }
}

/// Completes `handler` with `body()`, run here, as it does not wait.
template <class T, class Body>
void run_here(const execution& exec, completion_handler<T> handler, Body body) {
  std::exception_ptr failure;
  T value{};
  try {
    value = body();
  } catch (...) {
    failure = std::current_exception();
  }
  detail::complete_at_once<T>(std::move(handler), exec, std::move(failure), std::move(value));
}

/// Completes `handler` with `body()`, which changes a key, run on the work executor. A change that
/// does not come to pass, or not in time for its caller, ends in `forget()`, which does not wait.
template <class Body>
void run_change(const execution& exec, const deadline& until, completion_handler<done> handler,
                Body body, const std::function<void()>& forget) {
  auto call = detail::async_call<done>::start(std::move(handler), exec, until, forget);
  post_work(
      exec, call,
      [call, body = std::move(body), forget]() mutable {
        if (call->is_over()) return;
        // Given up meanwhile: a newer change may have been made since then, and this one be last.
        if (!call->complete_with(body)) forget();
      },
      forget);
}

}  // namespace

void store::start_read(std::string text, call_options options,
                       std::shared_ptr<detail::value_port> port,
                       completion_handler<raw_lookup> handler) {
  auto self = state_;
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
  auto body = [self, text = std::move(text), port, allow_stale = options.allow_stale] {
    return self->read(self->table.hashed(text), *port, allow_stale);
  };
  if (!self->table.has_files()) return run_here<raw_lookup>(exec, std::move(handler), body);
  auto call = detail::async_call<raw_lookup>::start(std::move(handler), exec,
                                                    deadline::after(options.timeout), {});
  post_work(exec, call, [call, body = std::move(body)] { call->complete_with(body); });
}

void store::start_read_or_load(std::string text, const policy& how, call_options options,
                               std::shared_ptr<detail::value_port> port, detail::raw_loader loader,
                               completion_handler<raw_lookup> handler) {
  auto self = state_;
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
  auto self = state_;
  self->born.check("cache::store::async_set");
  const auto until = deadline::after(options.timeout);
  auto body = [=, bytes = std::move(bytes)] {
    self->enter("cache::store::async_set", text, options);
    detail::validate(how);
    self->sets.add();
    self->table.put(self->table.hashed(text), bytes, how, until);
    return done{};
  };
  if (!self->table.has_files()) return run_here<done>(self->execution, std::move(handler), body);
  run_change(self->execution, until, std::move(handler), std::move(body),
             [self, text = std::move(text)] { self->table.forget(self->table.hashed(text)); });
}

void store::start_erase(std::string text, call_options options, completion_handler<done> handler) {
  auto self = state_;
  self->born.check("cache::store::async_erase");
  const auto until = deadline::after(options.timeout);
  auto body = [=] {
    self->enter("cache::store::async_erase", text, options);
    self->erases.add();
    self->table.erase(self->table.hashed(text), until);
    return done{};
  };
  if (!self->table.has_files()) return run_here<done>(self->execution, std::move(handler), body);
  run_change(self->execution, until, std::move(handler), std::move(body),
             [self, text = std::move(text)] { self->table.forget(self->table.hashed(text)); });
}

}  // namespace scalekit::cache
