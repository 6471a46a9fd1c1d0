#pragma once

#include "scalekit/core/execution.hpp"
#include "scalekit/core/result.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>

// How every async_ member of scalekit completes.
//
// Signature: void(std::exception_ptr, T). The exception is a scalekit::error, so that diagnostics
// survive use_awaitable (which rethrows it); as_result(token) turns the pair into a result<T>.
// Cancellation: all three types of Asio stop the operation, which then completes with
// errc::cancelled, unless it was already past the point where it could be undone.

namespace scalekit {

/// A unit value: what operations without a result complete with.
struct done {
  friend constexpr bool operator==(done, done) noexcept { return true; }
};

/// The erased handler behind every async_ member. T is default-constructible.
template <class T>
using completion_handler = boost::asio::any_completion_handler<void(std::exception_ptr, T)>;

namespace detail {

/// One pending operation: keeps the handler, its executor's loop alive, and a stop_source that
/// the handler's cancellation slot triggers.
template <class T>
class pending {
 public:
  virtual ~pending() = default;
  pending(const pending&) = delete;
  pending& operator=(const pending&) = delete;

  /// Must be called in the initiating function: slots are not thread-safe. `handler` may be any
  /// completion handler, completion_handler<T> among them.
  template <class Handler>
  static std::shared_ptr<pending> start(Handler handler, const execution& exec);

  /// Not stop_possible() where the handler has no cancellation slot.
  std::stop_token stop_token() const noexcept { return stop_.get_token(); }

  /// Completes on the associated executor. Call once, never inside the initiating function: it
  /// may run the handler before it returns.
  virtual void complete(std::exception_ptr e, T value) = 0;

 protected:
  pending() = default;

 private:
  std::stop_source stop_{std::nostopstate};
};

/// With the handler's own type: erasing it, and its executor, would cost more than all else here.
template <class T, class Handler>
class pending_handler final : public pending<T> {
 public:
  pending_handler(Handler handler, const execution& exec)
      : executor_(boost::asio::prefer(
            boost::asio::get_associated_executor(handler, exec.completion_executor()),
            boost::asio::execution::outstanding_work.tracked)),
        handler_(std::move(handler)) {}

  auto cancellation_slot() const noexcept {
    return boost::asio::get_associated_cancellation_slot(handler_);
  }

  void complete(std::exception_ptr e, T value) override {
    auto executor = std::move(executor_);
    if constexpr (std::is_same_v<std::decay_t<tracked>, boost::asio::any_io_executor>) {
      // What dispatch() would come to, without a function that is erased, allocated and called.
      const auto* loop = executor.template target<tracked_loop>();
      if (loop != nullptr && loop->running_in_this_thread()) {
        auto handler = std::move(handler_);
        return std::move(handler)(std::move(e), std::move(value));
      }
    }
    // The loop has work until this has let go of it: it cannot end by itself before.
    boost::asio::dispatch(executor, [handler = std::move(handler_), e = std::move(e),
                                     value = std::move(value)]() mutable {
      std::move(handler)(std::move(e), std::move(value));
    });
  }

 private:
  using associated = boost::asio::associated_executor_t<Handler, boost::asio::any_io_executor>;
  using tracked = decltype(boost::asio::prefer(std::declval<associated>(),
                                               boost::asio::execution::outstanding_work.tracked));

  using tracked_loop = std::decay_t<decltype(boost::asio::prefer(
      std::declval<boost::asio::io_context::executor_type>(),
      boost::asio::execution::outstanding_work.tracked))>;

  std::decay_t<tracked> executor_;
  Handler handler_;
};

template <class T>
template <class Handler>
std::shared_ptr<pending<T>> pending<T>::start(Handler handler, const execution& exec) {
  auto self = std::make_shared<pending_handler<T, Handler>>(std::move(handler), exec);
  auto slot = self->cancellation_slot();
  if (slot.is_connected()) {
    self->stop_ = std::stop_source();
    slot.assign([weak = std::weak_ptr<pending>(self)](boost::asio::cancellation_type) {
      if (auto alive = weak.lock()) alive->stop_.request_stop();
    });
  }
  return self;
}

/// Runs `body(std::stop_token) -> T` and completes `op` with what it returns or throws.
template <class T, class Body>
void run_and_complete(pending<T>& op, Body& body) {
  std::exception_ptr failure;
  std::optional<T> value;
  try {
    value.emplace(body(op.stop_token()));
  } catch (...) {
    // A scalekit::error, or what the host's own callback threw.
    failure = std::current_exception();
  }
  // Outside the try: what the handler throws is the business of the loop that runs it.
  op.complete(std::move(failure), value ? *std::move(value) : T{});
}

/// Starts `body(std::stop_token) -> T`, which may block, on the work executor.
template <class T, class Body>
void start_blocking(completion_handler<T> handler, const execution& exec, Body body) {
  auto op = pending<T>::start(std::move(handler), exec);
  try {
    exec.post_work([op, body = std::move(body)]() mutable { run_and_complete(*op, body); });
  } catch (...) {
    boost::asio::post(exec.completion_executor(),
                      [op, e = std::current_exception()] { op->complete(e, T{}); });
  }
}

}  // namespace detail

/// The asynchronous form of a blocking body: `body(std::stop_token) -> T` runs on the work
/// executor of `exec` and must watch its token.
template <class T, class Body, class Token>
auto async_blocking(const execution& exec, Body body, Token&& token) {
  return boost::asio::async_initiate<Token, void(std::exception_ptr, T)>(
      [](auto handler, execution e, Body b) {
        detail::start_blocking<T>(completion_handler<T>(std::move(handler)), e, std::move(b));
      },
      token, exec, std::move(body));
}

/// A completion token that delivers result<T> in place of (std::exception_ptr, T): nothing throws.
template <class Token>
struct as_result_t {
  Token token;
};

/// `auto r = co_await client.async_read<row>(q, as_result(asio::use_awaitable));`
template <class Token>
as_result_t<std::decay_t<Token>> as_result(Token&& token) {
  return {std::forward<Token>(token)};
}

namespace detail {

template <class Handler, class T>
struct as_result_handler {
  Handler handler;

  void operator()(std::exception_ptr e, T value) {
    if (e) {
      std::move(handler)(result<T>(to_error(e)));
    } else {
      std::move(handler)(result<T>(std::move(value)));
    }
  }
};

}  // namespace detail
}  // namespace scalekit

template <class Token, class T>
class boost::asio::async_result<scalekit::as_result_t<Token>, void(std::exception_ptr, T)> {
 public:
  using signature = void(scalekit::result<T>);

  template <class Initiation, class RawToken, class... Args>
  static auto initiate(Initiation&& initiation, RawToken&& token, Args&&... args) {
    return boost::asio::async_initiate<Token, signature>(
        [initiation = std::forward<Initiation>(initiation)](auto handler, auto&&... rest) mutable {
          using handler_type = std::decay_t<decltype(handler)>;
          std::move(initiation)(
              scalekit::detail::as_result_handler<handler_type, T>{std::move(handler)},
              std::forward<decltype(rest)>(rest)...);
        },
        token.token, std::forward<Args>(args)...);
  }
};

/// The wrapped handler keeps its executor, allocator and cancellation slot.
template <template <class, class> class Associator, class Handler, class T, class Default>
struct boost::asio::associator<Associator, scalekit::detail::as_result_handler<Handler, T>, Default>
    : Associator<Handler, Default> {
  static auto get(const scalekit::detail::as_result_handler<Handler, T>& h) noexcept {
    return Associator<Handler, Default>::get(h.handler);
  }
  static auto get(const scalekit::detail::as_result_handler<Handler, T>& h,
                  const Default& d) noexcept {
    return Associator<Handler, Default>::get(h.handler, d);
  }
};
