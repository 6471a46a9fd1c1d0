#pragma once

#include "scalekit/cache/detail/typed_call.hpp"
#include "scalekit/cache/lookup.hpp"
#include "scalekit/core/async.hpp"

#include <boost/asio/associator.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
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

/// The bytes for each of some keys, if there is a value.
using raw_batch_loader = std::function<std::vector<std::optional<std::string>>(
    const load_context&, std::span<const std::string> keys)>;

/// Refers to `loader`.
template <class V, class Loader>
raw_batch_loader encoding_loader(Loader& loader) {
  return [&loader](const load_context& context, std::span<const std::string> keys) {
    std::vector<std::optional<V>> values;
    if constexpr (std::invocable<Loader&, const load_context&, std::span<const std::string>>) {
      values = loader(context, keys);
    } else {
      values = loader(keys);
    }
    std::vector<std::optional<std::string>> bytes(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i]) codec<V>::encode(*values[i], bytes[i].emplace());
    }
    return bytes;
  };
}

/// Owns `loader`.
template <class V, class Loader>
raw_batch_loader keep_encoding_loader(Loader loader) {
  return [kept = std::make_shared<Loader>(std::move(loader))](const load_context& context,
                                                              std::span<const std::string> keys) {
    return encoding_loader<V>(*kept)(context, keys);
  };
}

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
