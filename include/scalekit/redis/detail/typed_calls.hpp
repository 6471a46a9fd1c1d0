#pragma once

#include "scalekit/core/async.hpp"
#include "scalekit/core/result.hpp"
#include "scalekit/redis/command.hpp"
#include "scalekit/redis/detail/backend.hpp"
#include "scalekit/redis/detail/gathering.hpp"
#include "scalekit/redis/detail/typed_call.hpp"

#include <boost/asio/cancellation_type.hpp>

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The same for several calls at once.

namespace scalekit::redis::detail {

/// Throws what to_request() throws.
inline std::vector<request> to_requests(std::vector<command>&& what) {
  std::vector<request> all;
  all.reserve(what.size());
  for (auto& each : what) all.push_back(to_request(std::move(each)));
  return all;
}

template <class T>
result<T> result_of(call_outcome&& one, const std::string& server) {
  try {
    if (one.failure) return to_error(one.failure);
    return convert<T>(std::move(one.answer), one.command, server);
  } catch (...) {
    return to_error(std::current_exception());
  }
}

template <class T>
std::vector<result<T>> results_of(std::vector<call_outcome>&& outcomes, const std::string& server) {
  std::vector<result<T>> all;
  all.reserve(outcomes.size());
  for (auto& each : outcomes) all.push_back(result_of<T>(std::move(each), server));
  return all;
}

/// To be called in the initiating function: cancellation slots are not thread-safe.
template <class T, class Handler>
void start_each(Handler handler, std::shared_ptr<backend> owner, std::vector<request> calls,
                const call_options& options) {
  using results = std::vector<result<T>>;
  using operation = scalekit::detail::pending_handler<results, Handler>;
  const auto op = std::make_shared<operation>(std::move(handler), owner->execution());
  const auto all = std::make_shared<gathering>(std::move(calls));
  auto slot = op->cancellation_slot();
  if (slot.is_connected()) {
    slot.assign([weak = std::weak_ptr(all)](boost::asio::cancellation_type) {
      if (const auto alive = weak.lock()) alive->abandon(nullptr, nullptr);
    });
  }
  auto& on = *owner;
  // Holds the client until it has ended, and not while the host hears of it.
  all->start(on, options,
             [op, owner = std::move(owner)](std::vector<call_outcome>&& outcomes) mutable {
               auto answers = results_of<T>(std::move(outcomes), owner->name());
               owner.reset();
               op->complete(nullptr, std::move(answers));
             });
}

}  // namespace scalekit::redis::detail
