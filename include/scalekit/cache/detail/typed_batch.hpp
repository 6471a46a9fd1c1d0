#pragma once

#include "scalekit/cache/detail/typed_call.hpp"
#include "scalekit/cache/lookup.hpp"
#include "scalekit/core/async.hpp"

#include <boost/asio/associator.hpp>

#include <cstddef>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

// The same as typed_call.hpp for several keys at once.

namespace scalekit::cache::detail {

/// Keys, what was found under each, and where its value goes.
struct raw_batch {
  std::vector<std::string> keys;
  std::vector<value_port*> ports;
  std::vector<raw_lookup> found;
};

template <class V>
class typed_batch final : public raw_batch {
 public:
  explicit typed_batch(std::vector<std::string> wanted) : values_(wanted.size()) {
    keys = std::move(wanted);
    found.resize(keys.size());
    ports.reserve(keys.size());
    for (auto& each : values_) ports.push_back(&each);
  }

  std::vector<lookup<V>> finish() {
    std::vector<lookup<V>> all;
    all.reserve(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) all.push_back(values_[i].finish(found[i]));
    return all;
  }

 private:
  std::vector<decoding_port<V>> values_;
};

/// Hands what a raw batch found to the caller's handler.
template <class V, class Handler>
struct batch_handler {
  Handler handler;
  std::shared_ptr<typed_batch<V>> batch;

  void operator()(std::exception_ptr e, done) {
    std::move(handler)(e, e ? std::vector<lookup<V>>{} : batch->finish());
  }
};

}  // namespace scalekit::cache::detail

/// The wrapped handler keeps its executor, allocator and cancellation slot.
template <template <class, class> class Associator, class V, class Handler, class Default>
struct boost::asio::associator<Associator, scalekit::cache::detail::batch_handler<V, Handler>,
                               Default> : Associator<Handler, Default> {
  static auto get(const scalekit::cache::detail::batch_handler<V, Handler>& h) noexcept {
    return Associator<Handler, Default>::get(h.handler);
  }
  static auto get(const scalekit::cache::detail::batch_handler<V, Handler>& h,
                  const Default& d) noexcept {
    return Associator<Handler, Default>::get(h.handler, d);
  }
};
