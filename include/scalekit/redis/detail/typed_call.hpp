#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/redis/detail/backend.hpp"
#include "scalekit/redis/detail/call.hpp"
#include "scalekit/redis/from_reply.hpp"

#include <boost/asio/cancellation_type.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

// What joins a completion handler, or a caller that waits, to a backend.

namespace scalekit::redis::detail {

template <class T>
T convert(reply&& got, const std::string& command, const std::string& server) {
  try {
    return from_reply<T>(std::move(got));
  } catch (...) {
    rethrow_conversion(command, server);
  }
}

/// Completes a handler. One allocation holds all of it.
template <class T, class Handler>
class typed_call final : public call, public std::enable_shared_from_this<typed_call<T, Handler>> {
 public:
  typed_call(request r, Handler handler, std::shared_ptr<backend> owner)
      : call(std::move(r)),
        operation_(std::move(handler), owner->execution()),
        owner_(std::move(owner)) {}

  /// To be called in the initiating function: cancellation slots are not thread-safe.
  void start(const call_options& options) {
    auto self = this->shared_from_this();
    auto slot = operation_.cancellation_slot();
    if (slot.is_connected()) {
      slot.assign([weak = this->weak_from_this()](boost::asio::cancellation_type) {
        if (auto alive = weak.lock()) cancel(alive);
      });
    }
    stop_ = options.stop;
    const auto owner = owner_;
    owner->start(std::move(self), options);
  }

  void watch() override {
    if (!stop_.stop_possible()) return;
    watch_ = std::make_unique<stop_watch>(stop_, [weak = this->weak_from_this()] {
      if (auto alive = weak.lock()) cancel(alive);
    });
  }

  void finish(std::exception_ptr failure, reply&& answer) noexcept override {
    std::optional<T> value;
    if (!failure) {
      try {
        value.emplace(convert<T>(std::move(answer), what.name, owner_->name()));
      } catch (...) {
        failure = std::current_exception();
      }
    }
    // Waits for a stop that is being heard of: it uses what goes next.
    watch_.reset();
    // Before the answer, with which the host may end its loop and the client.
    owner_.reset();
    operation_.complete(std::move(failure), value ? std::move(*value) : T{});
  }

 private:
  using stop_watch = std::stop_callback<std::function<void()>>;

  scalekit::detail::pending_handler<T, Handler> operation_;
  std::shared_ptr<backend> owner_;
  std::stop_token stop_;
  std::unique_ptr<stop_watch> watch_;
};

}  // namespace scalekit::redis::detail
