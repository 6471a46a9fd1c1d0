#pragma once

#include "cache/async_call.hpp"
#include "cache/tiers.hpp"
#include "scalekit/core/async.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

// How the asynchronous members of a store are carried out, and complete.

namespace scalekit::cache::detail {

/// Runs `body`, which may block, for `call`. A full work pool completes it with errc::shed, once
/// `refused` was called.
template <class T, class Body>
void post_work(const execution& exec, const std::shared_ptr<async_call<T>>& call, Body body,
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
  auto made = outcome_of<T>(body);
  complete_at_once<T>(std::move(handler), exec, std::move(made.first), std::move(made.second));
}

/// Completes `handler` with `body()`, which changes a key, run on the work executor. A change that
/// does not come to pass, or not in time for its caller, ends in `forget()`, which does not wait.
template <class Body>
void run_change(const execution& exec, const deadline& until, completion_handler<done> handler,
                Body body, const std::function<void()>& forget) {
  auto call = async_call<done>::start(std::move(handler), exec, until, forget);
  post_work(
      exec, call,
      [call, body = std::move(body), forget]() mutable {
        if (call->is_over()) return;
        // Given up meanwhile: a newer change may have been made since then, and this one be last.
        if (!call->complete_with(body)) forget();
      },
      forget);
}

/// For a change of an asynchronous tier: completes `op` with what it failed with.
template <class State>
tiers::then_done completing(std::shared_ptr<State> self, std::shared_ptr<pending<done>> op) {
  return [self = std::move(self), op = std::move(op)](std::optional<error> failure) {
    op->complete(failure ? std::make_exception_ptr(*failure) : nullptr, {});
  };
}

/// Begins such a change: `begin(op)` sees to it that `op` completes, or throws.
template <class State, class Begin>
void start_change(const std::shared_ptr<State>& self, completion_handler<done> handler,
                  Begin begin) {
  auto op = pending<done>::start(std::move(handler), self->execution);
  try {
    begin(op);
  } catch (...) {
    boost::asio::post(self->execution.completion_executor(),
                      [op, e = std::current_exception()] { op->complete(e, {}); });
  }
}

}  // namespace scalekit::cache::detail
